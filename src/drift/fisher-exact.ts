/** Tables whose probability is this much above the observed one's, relatively, are equally probable but for rounding. */
const EQUAL = 1 + 1e-13

/**
 * Fisher's exact test of a 2 by 2 table, two-sided: the probability, with the margins given, of all tables that are no
 * more probable than this one (Fisher 1935; the rule of `scipy.stats.fisher_exact`). Probabilities are carried from the
 * most probable table outwards by their ratios, so no large factorial is met. The work is the number of tables.
 *
 * @param first counts of the first row
 * @param second counts of the second row
 */
export const fisherExact = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number => {
  const row = a + b
  const column = a + c
  const total = row + c + d
  const least = Math.max(0, row + column - total)
  const greatest = Math.min(row, column)
  const mode = Math.min(greatest, Math.max(least, Math.floor(((row + 1) * (column + 1)) / (total + 2))))

  // Weight of the table with k in its first cell, relative to that with the mode there.
  const weights = new Float64Array(greatest - least + 1)
  weights[mode - least] = 1
  for (let k = mode + 1; k <= greatest; k++) {
    weights[k - least] =
      (weights[k - 1 - least]! * ((row - k + 1) * (column - k + 1))) / (k * (total - row - column + k))
  }
  for (let k = mode - 1; k >= least; k--) {
    weights[k - least] =
      (weights[k + 1 - least]! * ((k + 1) * (total - row - column + k + 1))) / ((row - k) * (column - k))
  }
  const limit = weights[a - least]! * EQUAL
  let all = 0
  let extreme = 0
  for (const weight of weights) {
    all += weight
    if (weight <= limit) extreme += weight
  }
  return Math.min(1, extreme / all)
}
