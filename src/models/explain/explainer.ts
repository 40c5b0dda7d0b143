/** Tells what each feature of a row contributes to what a model gives for it. */
export type RowExplainer = {
  /** What the model gives on average over its training rows, per output. */
  readonly expected: Float64Array
  /**
   * Writes the contribution of every feature to every output of one row: those to output `o` sum to the row's score
   * minus `expected[o]`. Allocates nothing; it keeps its working memory, so one explainer serves one thread.
   * @param features raw values: NaN where missing, a category by its code
   * @param out written as `out[at + column * outputs + output]`, `columns * outputs` numbers
   * @param from where the row begins in `features`
   */
  readonly explain: (features: Float64Array, out: Float64Array, from?: number, at?: number) => void
}

/**
 * What contributions add up to. `probability`: the share of a class. `value`: the prediction of a regression, in the
 * target's unit. `margin`: what is turned into probabilities afterwards; for logistic regression the log-odds of each
 * class (the difference of two classes is what counts), for a boosted forest the sum of its trees. Always before
 * calibration, which is not explained, and before the shares of an imported forest are divided by their sum.
 */
export type ContributionUnit = 'probability' | 'value' | 'margin'

/** An explainer of a stored model. */
export type Explainer = RowExplainer & {
  readonly unit: ContributionUnit
  readonly featureNames: readonly string[]
  /** Empty for a regression. */
  readonly classNames: readonly string[]
  /** Classes, or 1 for a regression. */
  readonly outputs: number
}
