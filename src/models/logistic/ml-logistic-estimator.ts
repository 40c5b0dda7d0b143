import LogisticRegression from 'ml-logistic-regression'
import { Matrix } from 'ml-matrix'
import type { MlLogisticParameters } from '../candidate.ts'
import { classTargetOf, type Estimator, rowOf, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { type NamedArray, PARAMETER_LIMIT } from '../sections.ts'

// 1,500 steps over 5,000 rows of a few features take seconds; each step visits every row once per class.
const MAX_ROWS = 5000

/** Rows with a column of ones at their end: the engine has no intercept. */
export const withIntercept = (rows: TrainingRows): Matrix =>
  new Matrix(Array.from({ length: rows.rows }, (_, row) => [...rowOf(rows, row), 1]))

/**
 * The step of gradient descent that is certain to converge: 1 / L, where the gradient of the summed log loss has the
 * Lipschitz constant L = lambda_max(X'X) / 4, here bounded by trace(X'X) / 4. Steps below 2 / L descend
 * (Nesterov, Introductory Lectures on Convex Optimization, section 2.1.5).
 */
const certainStep = (features: Matrix): number => {
  const norm = features.norm('frobenius')
  return 4 / (norm * norm)
}

export const trainMlLogistic = (rows: TrainingRows, parameters: MlLogisticParameters): LogisticRegression => {
  const features = withIntercept(rows)
  const engine = new LogisticRegression({
    numSteps: parameters.steps,
    // The engine adds the gradients of all rows up, so a fixed rate would diverge as rows become more.
    learningRate: parameters.learningRate * certainStep(features),
  })
  engine.train(features, Matrix.columnVector(Array.from(classTargetOf(rows).labels)))
  return engine
}

/** See `openOneVsRest` for the sections. */
export const compileMlLogistic = (engine: LogisticRegression): NamedArray[] => {
  // The engine's target is 1 for "another class", so its weights point away from the class.
  const weights = engine.classifiers.flatMap(({ weights }) => weights.to1DArray().map((weight) => -weight))
  if (!weights.every((weight) => Math.abs(weight) <= PARAMETER_LIMIT)) {
    throw new FitFailed('logistic regression diverged; set a smaller learningRate')
  }
  return [{ name: 'weights', values: Float64Array.from(weights) }]
}

/** Logistic regression, one class against the rest, by gradient descent; it draws no random numbers. */
export const createMlLogisticEstimator = (parameters: MlLogisticParameters): Estimator => ({
  maxRows: MAX_ROWS,
  kinds: ['classification'],
  fit: (rows) => compileMlLogistic(trainMlLogistic(rows, parameters)),
})
