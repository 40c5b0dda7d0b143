import type { Candidate, ModelEngine, ModelKind } from './candidate.ts'
import type { Estimator } from './estimator.ts'
import { createHistogramForestEstimator } from './forest/histogram-estimator.ts'
import { createMlForestEstimator } from './forest/ml-forest-estimator.ts'
import { createLbfgsEstimator } from './logistic/lbfgs-estimator.ts'
import { createMlLogisticEstimator } from './logistic/ml-logistic-estimator.ts'
import { createRidgeEstimator } from './ridge/ridge-estimator.ts'
import { createLibsvmEstimator, LIBSVM_MAX_ROWS } from './svm/libsvm-estimator.ts'
import { createMlSvmEstimator } from './svm/ml-svm-estimator.ts'

// Apart from the engines: what only scores need not load what trains.
export { familyInput, familyScorers } from './family-scorers.ts'

export const createEstimator = (candidate: Candidate): Estimator => {
  switch (candidate.engine) {
    case 'histogram':
      return createHistogramForestEstimator(candidate.parameters)
    case 'ml-random-forest':
      return createMlForestEstimator(candidate.parameters)
    case 'libsvm':
      return createLibsvmEstimator(candidate.parameters)
    case 'ml-svm':
      return createMlSvmEstimator(candidate.parameters)
    case 'lbfgs':
      return createLbfgsEstimator(candidate.parameters)
    case 'ml-logistic-regression':
      return createMlLogisticEstimator(candidate.parameters)
    case 'cholesky':
      return createRidgeEstimator(candidate.parameters)
  }
}

/**
 * What to train with instead past the row limit of an engine: an engine of the same family where one takes so many
 * rows, else those of other families that have no limit. None for an engine without a limit.
 */
export const enginesPastLimit = (engine: ModelEngine, kind: ModelKind, rows: number): readonly ModelEngine[] => {
  switch (engine) {
    case 'ml-random-forest':
      return ['histogram']
    case 'ml-logistic-regression':
      return ['lbfgs']
    case 'ml-svm':
      return rows <= LIBSVM_MAX_ROWS ? ['libsvm'] : enginesPastLimit('libsvm', kind, rows)
    case 'libsvm':
      return kind === 'classification' ? ['lbfgs', 'histogram'] : ['cholesky', 'histogram']
    default:
      return []
  }
}
