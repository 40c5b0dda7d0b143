import type { Candidate, HistogramForestParameters } from '../../src/models/candidate.ts'
import { candidates } from './training-rows.ts'

const calibration = 'none'
const forest: HistogramForestParameters = {
  ...{ trees: 15, maxDepth: 6, minSamplesSplit: 2, minSamplesLeaf: 1, maxFeatures: 'auto', criterion: 'auto' },
  ...{ bootstrap: true, classWeight: 'none', maxBins: 64 },
}

/** One candidate of each engine and kernel that tells classes, small enough for tests. */
export const classifiers: readonly Candidate[] = [
  { name: 'histogram', family: 'forest', engine: 'histogram', calibration, parameters: forest },
  candidates.forest,
  {
    ...{ name: 'libsvm, rbf', family: 'svm', engine: 'libsvm', calibration },
    parameters: { kernel: 'rbf', C: 1, gamma: 'scale', epsilon: 0.1 },
  },
  {
    ...{ name: 'libsvm, linear', family: 'svm', engine: 'libsvm', calibration },
    parameters: { kernel: 'linear', C: 1, gamma: 'scale', epsilon: 0.1 },
  },
  { ...candidates.rbf, name: 'ml-svm, rbf' },
  { ...candidates.linear, name: 'ml-svm, linear' },
  {
    ...{ name: 'lbfgs', family: 'logistic', engine: 'lbfgs', calibration },
    parameters: { C: 1, tolerance: 1e-6, maxIterations: 1000 },
  },
  { ...candidates.logistic, name: 'ml-logistic-regression' },
]

/** One candidate of each engine and kernel that tells numbers. */
export const regressors: readonly Candidate[] = [
  { name: 'histogram', family: 'forest', engine: 'histogram', calibration, parameters: { ...forest, maxDepth: 12 } },
  {
    ...{ name: 'libsvm, rbf', family: 'svm', engine: 'libsvm', calibration },
    parameters: { kernel: 'rbf', C: 10, gamma: 'scale', epsilon: 0.05 },
  },
  {
    ...{ name: 'libsvm, linear', family: 'svm', engine: 'libsvm', calibration },
    parameters: { kernel: 'linear', C: 1, gamma: 'scale', epsilon: 0.05 },
  },
  { name: 'cholesky', family: 'ridge', engine: 'cholesky', calibration, parameters: { alpha: 1 } },
]
