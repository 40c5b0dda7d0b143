import type { FeatureEvent, Label } from '../../events.ts'
import { predictionIdOf, type RecordSource } from '../../topology.ts'
import type { DecodeResult } from '../serde-types.ts'
import { MAX_TIME_MS } from './event-checks.ts'

/** Turns the members of a JSON object into a message. `source` fills in what may be missing. */
export type JsonReader<T> = (
  members: Readonly<Record<string, unknown>>,
  source: RecordSource | undefined,
) => DecodeResult<T>

const failure = (code: string, message: string): { ok: false; code: string; message: string } => ({
  ok: false,
  code,
  message,
})

/** A date, or a date and a time with its zone: without a zone it would mean another moment on each machine. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$/

/** Milliseconds since the epoch from a number of them or from ISO-8601 text; null where it is neither. */
const readTime = (value: unknown): number | null => {
  const ms =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && ISO_8601.test(value)
        ? Date.parse(value)
        : Number.NaN
  return Math.abs(ms) <= MAX_TIME_MS ? Math.trunc(ms) : null
}

const isMissing = (value: unknown): boolean => value === undefined || value === null

const readEventId = (value: unknown): string | null => (typeof value === 'string' && value.length > 0 ? value : null)

/**
 * Reads a feature event: `event_id` and `event_time` may be missing, features stay what they are (their check comes
 * later and names the feature), other members are ignored.
 */
export const featureEventFromJson =
  (featureNames: readonly string[]): JsonReader<FeatureEvent> =>
  (members, source) => {
    const { event_id, event_time } = members
    const id = isMissing(event_id) ? source && predictionIdOf(source) : readEventId(event_id)
    if (!id) return failure('BAD_EVENT_ID', 'event_id must be text that is not empty')
    const time = isMissing(event_time) ? (source?.timestamp ?? null) : readTime(event_time)
    if (time === null) {
      return failure(
        'BAD_EVENT_TIME',
        'event_time must be milliseconds since 1970, or ISO-8601 text with a zone such as 2030-01-31T12:00:00Z',
      )
    }
    const event: Record<string, unknown> = { event_id: id, event_time: time }
    for (const name of featureNames) event[name] = Object.hasOwn(members, name) ? members[name] : null
    return { ok: true, value: event as FeatureEvent }
  }

/** The label of a class is its name; that of a number is the number, or the same as text. */
const readLabel = (value: unknown, kind: LabelKind): string | null => {
  if (typeof value === 'string') return value
  return kind === 'regression' && typeof value === 'number' ? String(value) : null
}

/** What labels tell: the name of a class, or a number. */
export type LabelKind = 'classification' | 'regression'

/** Reads a label: `labelled_at` may be missing, other members are ignored. */
export const labelFromJson =
  (kind: LabelKind): JsonReader<Label> =>
  (members, source) => {
    const event_id = readEventId(members['event_id'])
    if (event_id === null) return failure('BAD_EVENT_ID', 'event_id must be text that is not empty')
    const label = readLabel(members['label'], kind)
    if (label === null) {
      return kind === 'classification'
        ? failure('UNKNOWN_LABEL', 'label must be the name of a class')
        : failure('BAD_LABEL', 'label must be a number')
    }
    const labelledAt = members['labelled_at']
    const labelled_at = isMissing(labelledAt) ? (source?.timestamp ?? null) : readTime(labelledAt)
    if (labelled_at === null) {
      return failure('BAD_EVENT_TIME', 'labelled_at must be milliseconds since 1970, or ISO-8601 text with a zone')
    }
    return { ok: true, value: { event_id, label, labelled_at } }
  }
