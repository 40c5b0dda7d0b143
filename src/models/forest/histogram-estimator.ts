import type { HistogramForestParameters } from '../candidate.ts'
import type { Estimator } from '../estimator.ts'
import { packForest } from './forest-sections.ts'
import { fitHistogramForest } from './histogram/fit-histogram-forest.ts'

/** Our own random forest, for any number of rows, of classes or numbers. It reads raw features. */
export const createHistogramForestEstimator = (parameters: HistogramForestParameters): Estimator => ({
  maxRows: Number.POSITIVE_INFINITY,
  kinds: ['classification', 'regression'],
  fit: (rows, seed) => packForest(fitHistogramForest(rows, parameters, seed)),
})
