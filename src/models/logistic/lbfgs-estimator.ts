import type { LogisticParameters } from '../candidate.ts'
import { classTargetOf, type Estimator, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { minimise } from '../optimise/lbfgs.ts'
import { sigmoidLoss, softmaxLoss } from './softmax-loss.ts'

/** Two machines that give the probabilities of one whose margin is the log-odds of class 1. */
const bothWays = (weights: Float64Array): Float64Array => {
  const both = new Float64Array(2 * weights.length)
  weights.forEach((weight, i) => {
    both[i] = -weight / 2
    both[weights.length + i] = weight / 2
  })
  return both
}

const solve = (rows: TrainingRows, { C, tolerance, maxIterations }: LogisticParameters): Float64Array => {
  const { features, columns } = rows
  const { labels, classes } = classTargetOf(rows)
  const weights = new Float64Array((classes === 2 ? 1 : classes) * (columns + 1))
  const objective =
    classes === 2 ? sigmoidLoss(features, labels, columns, C) : softmaxLoss(features, labels, classes, columns, C)
  const { status, iterations, gradient } = minimise(objective, weights, { tolerance, maxIterations })
  if (status !== 'converged') {
    throw new FitFailed(
      `logistic regression has not converged: after ${iterations} iterations the gradient is ` +
        `${gradient.toExponential(1)}, above the tolerance ${tolerance}; set ` +
        `${status === 'limit' ? 'more maxIterations, a smaller C' : 'a smaller C'} or a greater tolerance`,
    )
  }
  return classes === 2 ? bothWays(weights) : weights
}

/**
 * Multinomial logistic regression with an L2 penalty, `1/2 |w|^2 + C * sum of log losses`, the intercepts free, by
 * L-BFGS from zero; it draws no random numbers. Two classes have one vector of weights, as everywhere, stored as two
 * opposite halves.
 */
export const createLbfgsEstimator = (parameters: LogisticParameters): Estimator => ({
  maxRows: Number.POSITIVE_INFINITY,
  kinds: ['classification'],
  fit: (rows) => [{ name: 'softmax_weights', values: solve(rows, parameters) }],
})
