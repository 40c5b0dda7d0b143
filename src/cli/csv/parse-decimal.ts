const ZERO = 48
const NINE = 57
const POINT = 46
const PLUS = 43
const MINUS = 45
const LOWER_E = 101
const UPPER_E = 69

/** 10^0 to 10^22: the powers that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
const MAX_EXACT_POWER = POWERS.length - 1

/** Digits that always fit into the 53 bits of a double's significand. */
export const MAX_EXACT_DIGITS = 15

/** 2^27 + 1: splits a double into two halves whose products are exact. */
const SPLITTER = 134_217_729

/** A quotient that rounds the same with its low part this much larger is far enough from the middle of two doubles. */
const ROUNDING_MARGIN = 1 + 2 ** -30

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE

// The grammar has been checked when this is called, so Number() sees no '', no '0x10' and no 'Infinity'.
const slowDecimal = (bytes: Uint8Array, from: number, to: number): number => {
  let text = ''
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at]!)
  const value = Number(text)
  return Number.isFinite(value) ? value : Number.NaN
}

/** What `product`, which is `a * b` rounded, lacks of the exact product (Dekker 1971, with Veltkamp's splitting). */
const productError = (a: number, b: number, product: number): number => {
  const aScaled = SPLITTER * a
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = SPLITTER * b
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/**
 * The double nearest to `(high * shift + low) / divisor`: numerator and quotient as sums of two doubles, which are
 * wrong by less than 2^-100 of their size, rounded once.
 * @returns NaN where the quotient is so near to the middle of two doubles that this does not settle it
 */
const nearestQuotient = (high: number, shift: number, low: number, divisor: number): number => {
  const product = high * shift
  const sum = product + low
  // low is below shift, and so below the product.
  const rest = productError(high, shift, product) + (low - (sum - product))
  const quotient = sum / divisor
  const back = quotient * divisor
  const correction = (sum - back - productError(quotient, divisor, back) + rest) / divisor
  const nearest = quotient + correction
  const left = correction - (nearest - quotient)
  return nearest + left * ROUNDING_MARGIN === nearest ? nearest : Number.NaN
}

/**
 * The double nearest to a decimal number that is given in parts.
 * @param significand its first 15 significant digits
 * @param low the next 15
 * @param digits how many significant digits it has
 * @param power of ten, for the last digit
 * @returns NaN where this way does not settle it
 */
export const composeDecimal = (significand: number, low: number, digits: number, power: number): number => {
  if (digits <= MAX_EXACT_DIGITS) {
    if (power <= 0 && power >= -MAX_EXACT_POWER) return significand / POWERS[-power]!
    return power > 0 && power <= MAX_EXACT_POWER ? significand * POWERS[power]! : Number.NaN
  }
  if (digits > 2 * MAX_EXACT_DIGITS || power > 0 || power < -MAX_EXACT_POWER) return Number.NaN
  return nearestQuotient(significand, POWERS[digits - MAX_EXACT_DIGITS]!, low, POWERS[-power]!)
}

/**
 * The double nearest to the decimal number that `bytes[from, to)` spells: sign, digits with at most one point, exponent.
 * Up to 15 significant digits and powers of ten up to 22 either way take one exact division or multiplication, whose
 * single rounding is the right one (Clinger, How to read floating point numbers accurately, 1990, section 3). Up to 30
 * digits with a fraction are divided with twice the precision. Others go the slow way through Number().
 * @returns NaN for anything else, also for a number too large for a double
 */
export const parseDecimal = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from
  const negative = bytes[at] === MINUS
  if (negative || bytes[at] === PLUS) at++

  // The first 15 significant digits, and the next 15.
  let significand = 0
  let low = 0
  let digits = 0
  let seen = 0
  let fraction = 0
  let pointAt = -1
  for (; at < to; at++) {
    const byte = bytes[at]!
    if (byte >= ZERO && byte <= NINE) {
      seen++
      if (digits > 0 || byte !== ZERO) digits++
      if (digits <= MAX_EXACT_DIGITS) significand = significand * 10 + (byte - ZERO)
      else if (digits <= 2 * MAX_EXACT_DIGITS) low = low * 10 + (byte - ZERO)
    } else if (byte === POINT && pointAt < 0) {
      pointAt = seen
    } else break
  }
  if (seen === 0) return Number.NaN
  if (pointAt >= 0) fraction = seen - pointAt

  let exponent = 0
  if (at < to) {
    if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return Number.NaN
    at++
    const below = bytes[at] === MINUS
    if (below || bytes[at] === PLUS) at++
    if (at >= to) return Number.NaN
    for (; at < to; at++) {
      if (!isDigit(bytes[at]!)) return Number.NaN
      // Far beyond what a double can hold it need not be exact, only not overflow.
      if (exponent < 100_000) exponent = exponent * 10 + (bytes[at]! - ZERO)
    }
    if (below) exponent = -exponent
  }

  const power = exponent - fraction
  const magnitude = composeDecimal(significand, low, digits, power)
  if (Number.isNaN(magnitude)) return slowDecimal(bytes, from, to)
  return negative ? -magnitude : magnitude
}
