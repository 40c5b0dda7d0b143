import { poolRare, totalOf } from './category-shares.ts'
import { type ChiSquareResult, chiSquareTest } from './chi-square.ts'
import { fisherExact } from './fisher-exact.ts'

/** Below this expected count in any cell, the chi-square distribution says little (Cochran 1954, Biometrics 10). */
const LEAST_EXPECTED = 1

/** Below this, the rare categories together are too few for it, too. */
const LEAST_POOLED = 5

/**
 * Whether two samples spread alike over categories, also where some are rare: the chi-square test as it is, while every
 * cell is expected to hold at least one; else the same with the rare categories taken together. Where even together
 * they are expected too seldom, their share is compared by Fisher's exact test and the other categories by chi-square,
 * and p is twice the smaller of both (Bonferroni): otherwise a single value that the reference lacks would be a
 * certain difference whenever the reference is much larger.
 *
 * @param reference counts, one per category
 * @param current counts in the same order
 */
export const homogeneityTest = (reference: ArrayLike<number>, current: ArrayLike<number>): ChiSquareResult => {
  const plain = chiSquareTest(reference, current)
  if (plain.status === 'empty' || plain.leastExpected >= LEAST_EXPECTED) return plain
  const pooled = poolRare(reference, current)
  const together = chiSquareTest(pooled.reference, pooled.current)
  if (together.status === 'empty' || together.leastExpected >= LEAST_POOLED || together.degrees === 0) return together
  // The category of the rare ones is the last.
  const rare1 = pooled.reference.at(-1)!
  const rare2 = pooled.current.at(-1)!
  const share = fisherExact([rare1, totalOf(pooled.reference) - rare1], [rare2, totalOf(pooled.current) - rare2])
  const others = chiSquareTest(pooled.reference.slice(0, -1), pooled.current.slice(0, -1))
  const pOthers = others.status === 'tested' && others.degrees > 0 ? others.pValue : null
  return { ...together, pValue: pOthers === null ? share : Math.min(1, 2 * Math.min(share, pOthers)) }
}
