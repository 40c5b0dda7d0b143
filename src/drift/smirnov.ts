import { logOnePlusMinus, stirlingError } from './stirling.ts'

/**
 * P(D+ >= x): the one-sided Kolmogorov-Smirnov statistic of one sample of `n` against its continuous distribution.
 *
 * x * sum over j = 0...floor(n (1 - x)) of C(n, j) (x + j/n)^(j - 1) (1 - x - j/n)^(n - j)
 * (Birnbaum and Tingey 1951, Annals of Mathematical Statistics 22). All terms are positive. Each is taken as a binomial
 * probability at its mode times exp of a small exponent, after Loader (2000), "Fast and Accurate Computation of
 * Binomial Probabilities", so that no large logarithms cancel. Above a million terms the expansion
 * exp(-(6 n x + 1)^2 / (18 n)) takes over (Maag and Dicaire 1971, Biometrika 58).
 *
 * @param n size of the sample, an integer >= 1
 * @param x between 0 and 1, exclusive
 */
export const smirnovTail = (n: number, x: number): number => {
  const shift = n * x
  if (n > 1_000_000) return Math.exp(-((6 * shift + 1) ** 2) / (18 * n))
  const errorOfN = stirlingError(n)
  let sum = Math.exp(n * Math.log1p(-x)) / x
  for (let j = 1; j < n - shift; j++) {
    const rest = n - j
    const mode = Math.sqrt(n / (2 * Math.PI * j * rest))
    const exponent =
      errorOfN -
      stirlingError(j) -
      stirlingError(rest) +
      j * logOnePlusMinus(shift / j) +
      rest * logOnePlusMinus(-shift / rest)
    sum += (mode * Math.exp(exponent)) / (x + j / n)
  }
  return Math.min(1, x * sum)
}
