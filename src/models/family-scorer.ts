import type { ModelKind } from './candidate.ts'

/** How many numbers a family's scorer reads and writes for each row. */
export type ModelShape = {
  readonly kind: ModelKind
  /** Numbers per row of the family's input: features for raw input, encoded columns for standardised input. */
  readonly columns: number
  /** Classes, or 1 for a regression. */
  readonly outputs: number
}

/**
 * What a family's scorer reads. `standardised`: encoded and standardised columns without NaN. `raw`: the features as
 * they are, NaN where missing, codes for categories.
 */
export type FamilyInput = 'raw' | 'standardised'

/**
 * Scores rows. Allocates nothing.
 * @param rows row-major from `from` on, in elements
 * @param from where the first row begins
 * @param count number of rows
 * @param out written row-major from `at` on; the probabilities of a row sum to 1
 */
export type FamilyScorer = (rows: Float64Array, from: number, count: number, out: Float64Array, at: number) => void
