import type { Candidate, ModelEngine } from './candidate.ts'
import type { Estimator } from './estimator.ts'
import { createHistogramForestEstimator } from './forest/histogram-estimator.ts'
import { createMlForestEstimator } from './forest/ml-forest-estimator.ts'
import { createLbfgsEstimator } from './logistic/lbfgs-estimator.ts'
import { createMlLogisticEstimator } from './logistic/ml-logistic-estimator.ts'
import { createRidgeEstimator } from './ridge/ridge-estimator.ts'
import { createLibsvmEstimator } from './svm/libsvm-estimator.ts'
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

/** The engine of the same family that has no limit of rows, for those that have one. */
export const scalableEngine: Partial<Record<ModelEngine, ModelEngine>> = {
  'ml-random-forest': 'histogram',
  'ml-svm': 'libsvm',
  'ml-logistic-regression': 'lbfgs',
}
