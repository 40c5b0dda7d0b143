import { readTimeOption } from '../time-option.ts'

/** Where a range of a topic begins or ends. */
export type ReplayTime =
  | { readonly at: 'earliest' }
  | { readonly at: 'latest' }
  /** Milliseconds since the epoch. */
  | { readonly at: 'time'; readonly timestampMs: number }

/**
 * Reads `earliest`, `latest`, how long ago (`-2h`; the sign may be left out) or ISO-8601.
 * @param now milliseconds since the epoch
 * @throws InvalidArgumentError
 */
export const parseReplayTime = (text: string, now: number): ReplayTime => {
  if (text === 'earliest' || text === 'latest') return { at: text }
  return { at: 'time', timestampMs: readTimeOption(text.replace(/^-/, ''), now) }
}
