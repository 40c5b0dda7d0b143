import { logOnePlusMinus, STIRLING_START, stirlingSeries } from './stirling.ts'

/** x^a e^(-x) / Gamma(a + 1), for a a whole number or a half. */
const gammaDensity = (a: number, x: number): number => {
  if (a >= STIRLING_START) {
    // Loader (2000), "Fast and Accurate Computation of Binomial Probabilities": no large logarithms cancel.
    return Math.exp(a * logOnePlusMinus((x - a) / a) - stirlingSeries(a)) / Math.sqrt(2 * Math.PI * a)
  }
  // With a up to 16 the factors x / k stay in the range of a double. e^(-x) does not beyond 700, so it is taken in halves.
  let density = Number.isInteger(a) ? 1 : 2 * Math.sqrt(x / Math.PI)
  for (let k = a; k > 0.5; k--) density *= x / k
  const half = Math.exp(-x / 2)
  return density * half * half
}

/** P(a, x) by its series x^a e^(-x) sum of x^n / Gamma(a + n + 1) (DLMF 8.7.1): positive terms. */
const lowerSeries = (a: number, x: number): number => {
  let term = 1
  let sum = 1
  for (let n = 1; term > sum * (Number.EPSILON / 4); n++) {
    term *= x / (a + n)
    sum += term
  }
  return gammaDensity(a, x) * sum
}

/** Q(a, x) by its continued fraction (DLMF 8.9.2, in the contracted form), by Lentz's method as Thompson and Barnett put it. */
const upperFraction = (a: number, x: number): number => {
  let b = x + 1 - a
  let c = Number.POSITIVE_INFINITY
  let d = 1 / b
  let fraction = d
  for (let n = 1; ; n++) {
    const numerator = n * (a - n)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    const change = c * d
    fraction *= change
    if (Math.abs(change - 1) <= Number.EPSILON) break
    // It would take near sqrt(a) steps; where rounding keeps it from settling, more change nothing.
    if (n > 100_000) break
  }
  return gammaDensity(a, x) * a * fraction
}

/**
 * P(X >= x) for the chi-square distribution: Q(degrees / 2, x / 2), the regularised upper incomplete gamma function. By
 * the series below the mean and the continued fraction above it (Press et al., Numerical Recipes, section 6.2), so that
 * small probabilities keep their digits. It agrees with scipy's `chi2.sf` to 1e-12 of the value.
 *
 * @param x 0 or more
 * @param degrees degrees of freedom, a whole number; with 0 the distribution is all at 0
 */
export const chiSquareTail = (x: number, degrees: number): number => {
  if (!(x > 0)) return 1
  if (degrees === 0 || x === Number.POSITIVE_INFINITY) return 0
  const a = degrees / 2
  const half = x / 2
  return half < a + 1 ? 1 - lowerSeries(a, half) : Math.min(1, upperFraction(a, half))
}
