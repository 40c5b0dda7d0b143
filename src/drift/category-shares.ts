import { shareStability } from './psi.ts'

/**
 * How often each category occurs: one count per known category, and one more for all others.
 * @param codes a category's place among the known ones, any greater number for one that is not known, NaN where missing
 */
export const countCategories = (codes: ArrayLike<number>, known: number): { counts: Float64Array; missing: number } => {
  const counts = new Float64Array(known + 1)
  let missing = 0
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (Number.isNaN(code)) missing += 1
    else counts[Math.min(code, known)]! += 1
  }
  return { counts, missing }
}

/** How many events the counts are of. */
export const totalOf = (counts: ArrayLike<number>): number => {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]!
  return total
}

/** Counts as shares of their sum, which is not 0. */
export const sharesOf = (counts: ArrayLike<number>): number[] => {
  const total = totalOf(counts)
  return Array.from(counts, (count) => count / total)
}

/**
 * Total variation distance of two distributions over the same categories: half the sum of |a - e| over their shares,
 * which is the share of events that changed category, 0 to 1. It is to categories what Kolmogorov and Smirnov's D is to
 * numbers (the greatest difference in the share of any set of categories, D that of any half-line), and unlike Cramer's
 * V it does not depend on how many rows each side has.
 * @param reference counts or shares of one sample, not all 0
 * @param current those of the other, in the same order
 */
export const totalVariation = (reference: ArrayLike<number>, current: ArrayLike<number>): number => {
  const expectedTotal = totalOf(reference)
  const actualTotal = totalOf(current)
  let sum = 0
  for (let i = 0; i < reference.length; i++) {
    sum += Math.abs(current[i]! / actualTotal - reference[i]! / expectedTotal)
  }
  return sum / 2
}

/** Population stability index over categories, from their counts or shares; see `populationStability`. */
export const categoryStability = (
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  minShare?: number,
): number => shareStability(sharesOf(reference), sharesOf(current), minShare)

/** Fewest events that a category must be expected to have in the smaller sample (Cochran 1954, Biometrics 10). */
const MIN_EXPECTED = 5

/**
 * Puts the categories that are too rare for the chi-square approximation together into one. Without it a single event
 * of an unseen category could be a sure difference.
 */
export const poolRare = (
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): { reference: number[]; current: number[] } => {
  const totals = [totalOf(reference), totalOf(current)] as const
  const smallerShare = Math.min(...totals) / (totals[0] + totals[1])
  const pooled = { reference: [] as number[], current: [] as number[] }
  const rare = { reference: 0, current: 0 }
  for (let i = 0; i < reference.length; i++) {
    if ((reference[i]! + current[i]!) * smallerShare < MIN_EXPECTED) {
      rare.reference += reference[i]!
      rare.current += current[i]!
    } else {
      pooled.reference.push(reference[i]!)
      pooled.current.push(current[i]!)
    }
  }
  if (rare.reference + rare.current > 0) {
    pooled.reference.push(rare.reference)
    pooled.current.push(rare.current)
  }
  return pooled
}
