const LN_2PI = Math.log(2 * Math.PI)

/** Terms of the Stirling series: B(2k) / (2k (2k - 1)) for k = 1...6. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360] as const

/** From here on six terms of the series reach the last digit. */
export const STIRLING_START = 16

/**
 * ln Gamma(x + 1) minus Stirling's approximation (x + 1/2) ln x - x + ln(2 pi) / 2 (DLMF 5.11.1).
 * @param x at least `STIRLING_START`
 */
export const stirlingSeries = (x: number): number => {
  const inverseSquare = 1 / (x * x)
  let sum = 0
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = sum * inverseSquare + STIRLING[k]!
  return sum / x
}

/** ln(n!) minus Stirling's approximation, for an integer n >= 1. */
export const stirlingError = (n: number): number => {
  if (n >= STIRLING_START) return stirlingSeries(n)
  let factorial = 1
  for (let k = 2; k <= n; k++) factorial *= k
  return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - LN_2PI / 2
}

/**
 * ln(1 + t) - t without the cancellation near 0, for t > -1.
 * With r = t / (2 + t), ln(1 + t) = 2 artanh(r) and t = 2 r / (1 - r), so the linear terms drop out by algebra.
 */
export const logOnePlusMinus = (t: number): number => {
  if (t < -0.5 || t > 1) return Math.log1p(t) - t
  const r = t / (2 + t)
  const square = r * r
  let sum = 0
  for (let k = 33; k >= 3; k -= 2) sum = sum * square + 1 / k
  return r * (2 * square * sum - t)
}
