import { totalOf } from './category-shares.ts'
import { chiSquareTail } from './chi-square-distribution.ts'

export type ChiSquareResult =
  | {
      readonly status: 'tested'
      /** Sum over the cells of (observed - expected)^2 / expected. */
      readonly statistic: number
      /** Degrees of freedom: categories that occur, less one. */
      readonly degrees: number
      readonly pValue: number
      /** Least count that was expected in a cell; below about 5 the p-value is a rough one. */
      readonly leastExpected: number
    }
  /** A sample has no value to compare. */
  | { readonly status: 'empty' }

/**
 * Chi-square test of homogeneity (Pearson 1900, without Yates's correction): whether two samples spread alike over
 * categories. Categories that neither has are left out; with one category there is nothing to differ, and p is 1. The same as `scipy.stats.chi2_contingency(correction=False)`.
 *
 * @param reference counts of one sample, one per category
 * @param current counts of the other, in the same order
 */
export const chiSquareTest = (reference: ArrayLike<number>, current: ArrayLike<number>): ChiSquareResult => {
  const n1 = totalOf(reference)
  const n2 = totalOf(current)
  if (n1 === 0 || n2 === 0) return { status: 'empty' }
  const share1 = n1 / (n1 + n2)
  const share2 = n2 / (n1 + n2)
  let statistic = 0
  let categories = 0
  let fewest = Number.POSITIVE_INFINITY
  for (let category = 0; category < reference.length; category++) {
    const count1 = reference[category]!
    const count2 = current[category]!
    const together = count1 + count2
    if (together === 0) continue
    categories++
    fewest = Math.min(fewest, together)
    // Both cells of a category are as far from what is expected: o1 - e1 = -(o2 - e2) = count1 share2 - count2 share1.
    const distance = count1 * share2 - count2 * share1
    statistic += (distance * distance) / (together * share1 * share2)
  }
  const degrees = categories - 1
  const leastExpected = fewest * Math.min(share1, share2)
  if (degrees === 0) return { status: 'tested', statistic: 0, degrees, pValue: 1, leastExpected }
  return { status: 'tested', statistic, degrees, pValue: chiSquareTail(statistic, degrees), leastExpected }
}
