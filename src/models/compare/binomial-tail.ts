/**
 * The probability of at least `successes` in `trials` fair coin tosses. Each term is got from its neighbour and all are
 * divided by their sum, so that nothing overflows and no logarithm of a factorial is needed.
 */
export const fairCoinTail = (successes: number, trials: number): number => {
  if (successes <= 0) return 1
  const mode = Math.floor(trials / 2)
  let total = 0
  let tail = 0
  const add = (k: number, term: number): void => {
    total += term
    if (k >= successes) tail += term
  }
  let term = 1
  for (let k = mode; k <= trials; k++) {
    add(k, term)
    term *= (trials - k) / (k + 1)
  }
  term = 1
  for (let k = mode; k > 0; k--) {
    term *= k / (trials - k + 1)
    add(k - 1, term)
  }
  return Math.min(1, tail / total)
}
