/** Below it the series is the quicker and exact enough; above it the continued fraction. */
const SERIES_UNTIL = 2.5

const STEPS = 200

/** erf by its power series with positive terms, DLMF 7.6.2. */
const erfSeries = (x: number): number => {
  let term = x
  let sum = x
  for (let n = 1; n < STEPS && term > sum * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** erfc by its continued fraction, DLMF 7.9.1, from the far end on. */
const erfcFraction = (x: number): number => {
  let value = x
  for (let n = STEPS; n > 0; n--) value = x + n / 2 / value
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / value
}

/** The probability that a standard normal variable is above `z`. */
export const normalTail = (z: number): number => {
  const x = Math.abs(z) / Math.SQRT2
  const tail = x < SERIES_UNTIL ? (1 - erfSeries(x)) / 2 : erfcFraction(x) / 2
  return z >= 0 ? tail : 1 - tail
}
