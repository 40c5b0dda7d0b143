import { InvalidArgumentError } from 'commander'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A date, or a date and a time with its zone: without a zone it would mean another moment on each machine. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$/

/**
 * The moment that an option names: ISO-8601 (`2030-01-31`, `2030-01-31T12:00:00Z`), or how long ago (`90s`, `15m`,
 * `2h`, `7d`).
 * @param now ms since the epoch
 * @returns ms since the epoch
 * @throws InvalidArgumentError
 */
export const readTimeOption = (text: string, now: number): number => {
  const ago = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text)
  if (ago !== null) return Math.round(now - Number(ago[1]) * UNIT_MS[ago[2]!]!)
  const ms = ISO_8601.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      'it has to be ISO-8601 with a zone (2030-01-31T12:00:00Z), a date, or how long ago (90s, 15m, 2h, 7d).',
    )
  }
  return ms
}
