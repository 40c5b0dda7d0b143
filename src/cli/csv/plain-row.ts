import { composeDecimal, MAX_EXACT_DIGITS } from './parse-decimal.ts'
import { BYTES } from './record-fields.ts'

const ZERO = 48
const NINE = 57
const POINT = 46
const MINUS = 45

/** What is no plain row: it has to be read with all the rules of CSV. */
export const NOT_PLAIN = -1

/**
 * Reads the numbers of a row that is as plain as most are: digits with at most one point and a minus, no quotes, no
 * blanks, no exponents. One pass over its bytes.
 * @param at where the row begins
 * @param places by column: where its number goes in `out`, counted from `to`, or -1 for one that is not wanted
 * @param out NaN is written for an empty field
 * @returns where the next row begins, or NOT_PLAIN; then what was written means nothing
 */
export const readPlainRow = (
  bytes: Uint8Array,
  at: number,
  places: Int32Array,
  out: Float64Array,
  to: number,
): number => {
  // Whether an empty line is a row is not decided here.
  if (bytes[at] === BYTES.lineFeed || bytes[at] === BYTES.carriageReturn) return NOT_PLAIN
  const last = places.length - 1
  let here = at
  for (let column = 0; column <= last; column++) {
    const place = places[column]!
    let byte = bytes[here]!
    if (place < 0) {
      while (byte !== BYTES.comma && byte !== BYTES.lineFeed) {
        if (byte === BYTES.quote) return NOT_PLAIN
        byte = bytes[++here]!
      }
    } else {
      const negative = byte === MINUS
      if (negative) byte = bytes[++here]!
      let significand = 0
      let low = 0
      let digits = 0
      let pointAt = -1
      const start = here
      for (; ; byte = bytes[++here]!) {
        if (byte >= ZERO && byte <= NINE) {
          if (digits === 0 && byte === ZERO) continue
          digits++
          if (digits <= MAX_EXACT_DIGITS) significand = significand * 10 + (byte - ZERO)
          else low = low * 10 + (byte - ZERO)
        } else if (byte === POINT && pointAt < 0) pointAt = here
        else break
      }
      const length = here - start
      if (length === 0) {
        if (negative) return NOT_PLAIN
        out[to + place] = Number.NaN
      } else {
        if (pointAt >= 0 && length === 1) return NOT_PLAIN
        const value = composeDecimal(significand, low, digits, pointAt < 0 ? 0 : pointAt + 1 - here)
        if (Number.isNaN(value)) return NOT_PLAIN
        out[to + place] = negative ? -value : value
      }
      if (byte === BYTES.carriageReturn && bytes[here + 1] === BYTES.lineFeed) byte = bytes[++here]!
    }
    if (byte !== (column === last ? BYTES.lineFeed : BYTES.comma)) return NOT_PLAIN
    here++
  }
  return here
}
