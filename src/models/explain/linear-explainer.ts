import { encodedColumns, encodedWidths, encodeInto } from '../../features/encoder.ts'
import { type Standardiser, standardiseInto } from '../../features/standardiser.ts'
import type { RowExplainer } from './explainer.ts'

export type LinearModel = {
  /** Row-major, `outputs * (columns + 1)` over encoded and standardised columns, the intercept of each output last. */
  readonly weights: Float64Array
  readonly outputs: number
  readonly standardiser: Standardiser
  /** How many categories each feature has, 0 for a number. */
  readonly categories: ArrayLike<number>
}

/**
 * Shapley values of a linear function whose features are taken to be independent: column j contributes
 * `w_j (x_j - mean_j)` (Strumbelj and Kononenko, "Explaining prediction models and individual predictions with feature
 * contributions", Knowledge and Information Systems 41, 2014, section 3). Standardised columns have the mean 0 over the
 * training rows, so what is expected is the intercept, and a missing value contributes nothing. The columns of a
 * category are summed up to its feature.
 */
export const createLinearExplainer = ({ weights, outputs, standardiser, categories }: LinearModel): RowExplainer => {
  const features = categories.length
  const widths = encodedWidths(categories)
  const columns = encodedColumns(categories)
  const row = new Float64Array(features)
  const encoded = new Float64Array(columns)
  const standardised = new Float64Array(columns)
  const expected = Float64Array.from({ length: outputs }, (_, output) => weights[output * (columns + 1) + columns]!)

  return {
    expected,
    explain: (rows, out, from = 0, at = 0) => {
      for (let feature = 0; feature < features; feature++) row[feature] = rows[from + feature]!
      encodeInto(categories, row, 0, 1, encoded)
      standardiseInto(standardiser, encoded, 0, 1, standardised)
      let first = 0
      for (let feature = 0; feature < features; feature++) {
        const end = first + widths[feature]!
        for (let output = 0; output < outputs; output++) {
          let sum = 0
          for (let column = first; column < end; column++) {
            sum += weights[output * (columns + 1) + column]! * standardised[column]!
          }
          out[at + feature * outputs + output] = sum
        }
        first = end
      }
    },
  }
}
