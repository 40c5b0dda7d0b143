import type { RidgeParameters } from '../candidate.ts'
import { type Estimator, numberTargetOf, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { solveCholesky } from './cholesky.ts'

const columnMeans = ({ features, rows, columns }: TrainingRows): Float64Array => {
  const means = new Float64Array(columns)
  for (let at = 0; at < features.length; at++) means[at % columns] = means[at % columns]! + features[at]! / rows
  return means
}

/** `X'X` (its lower triangle) and `X'y` of centred columns and target. */
const normalEquations = (rows: TrainingRows, means: Float64Array, values: Float64Array, mean: number) => {
  const { features, columns } = rows
  const squares = new Float64Array(columns * columns)
  const products = new Float64Array(columns)
  const centred = new Float64Array(columns)
  for (let row = 0; row < rows.rows; row++) {
    const target = values[row]! - mean
    for (let column = 0; column < columns; column++)
      centred[column] = features[row * columns + column]! - means[column]!
    for (let column = 0; column < columns; column++) {
      const value = centred[column]!
      products[column] = products[column]! + value * target
      const at = column * columns
      for (let other = 0; other <= column; other++) squares[at + other] = squares[at + other]! + value * centred[other]!
    }
  }
  return { squares, products }
}

const solve = (rows: TrainingRows, { alpha }: RidgeParameters): Float64Array => {
  const { columns } = rows
  const values = numberTargetOf(rows).values
  const mean = values.reduce((sum, value) => sum + value / rows.rows, 0)
  const means = columnMeans(rows)
  const { squares, products } = normalEquations(rows, means, values, mean)
  for (let column = 0; column < columns; column++) {
    const at = column * columns + column
    squares[at] = squares[at]! + alpha
  }
  if (!solveCholesky(squares, products)) {
    throw new FitFailed(
      `ridge regression with alpha ${alpha} has no single solution: a feature is constant or depends on others; ` +
        'set a greater alpha or leave the feature out',
    )
  }
  const weights = new Float64Array(columns + 1)
  weights.set(products)
  weights[columns] = mean - products.reduce((sum, weight, column) => sum + weight * means[column]!, 0)
  return weights
}

/**
 * Ridge regression, `|y - Xw - b|^2 + alpha |w|^2` with a free intercept b, by the normal equations of centred columns
 * (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 3.4.1); it draws no random numbers.
 */
export const createRidgeEstimator = (parameters: RidgeParameters): Estimator => ({
  maxRows: Number.POSITIVE_INFINITY,
  kinds: ['regression'],
  fit: (rows) => [{ name: 'weights', values: solve(rows, parameters) }],
})
