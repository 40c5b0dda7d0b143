import type { ModelKind } from './candidate.ts'

/** Numbers per row that a model of a kind writes: a probability per class, or the predicted value. */
export const outputsOf = (kind: ModelKind, classNames: readonly string[]): number =>
  kind === 'regression' ? 1 : classNames.length

/**
 * A model ready to score: flat arrays inside, no allocation per row.
 * The worker and the ingress use the same one.
 */
export type Scorer = {
  readonly kind: ModelKind
  readonly featureNames: readonly string[]
  /** In the order of the probabilities; empty for a regression. */
  readonly classNames: readonly string[]
  /** Numbers per row that scoring writes: a probability per class, or the predicted value. */
  readonly outputs: number
  /**
   * Scores `rows` rows.
   * @param features row-major, `rows * featureNames.length` raw (not standardised) values; NaN where missing; a
   *   category by its code, one that the model does not know by any number from its count of categories on
   * @param rows number of rows
   * @param out written row-major, `rows * outputs`; the probabilities of a row sum to 1
   */
  readonly scoreBlock: (features: Float64Array, rows: number, out: Float64Array) => void
}
