import { chiSquareTest } from './chi-square.ts'
import { fisherExact } from './fisher-exact.ts'

/** Below this expected count in a cell, the chi-square distribution is too rough (Cochran 1954, Biometrics 10). */
const LEAST_EXPECTED = 5

/** How many values of a sample are missing. */
export type MissingCount = { readonly missing: number; readonly rows: number }

/**
 * Whether values are missing as often in two samples: the chi-square test of two proportions, or Fisher's exact test
 * where a cell of the table is expected to hold fewer than five.
 *
 * @returns the two-sided p-value; 1 where nothing is missing, or everything, or a sample has no rows
 */
export const missingRateTest = (reference: MissingCount, current: MissingCount): number => {
  const first = [reference.missing, reference.rows - reference.missing] as const
  const second = [current.missing, current.rows - current.missing] as const
  const result = chiSquareTest(first, second)
  if (result.status === 'empty' || result.degrees === 0) return 1
  return result.leastExpected >= LEAST_EXPECTED ? result.pValue : fisherExact(first, second)
}
