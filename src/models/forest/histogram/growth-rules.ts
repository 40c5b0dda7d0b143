import type { HistogramForestParameters } from '../../candidate.ts'
import type { TrainingTarget } from '../../estimator.ts'
import { FitFailed } from '../../model-errors.ts'

export type SplitCriterion = 'gini' | 'entropy' | 'squared_error'

/** The parameters of a forest, settled for given rows. */
export type GrowthRules = {
  readonly criterion: SplitCriterion
  /** Features that each split looks at, at least 1. */
  readonly featuresPerSplit: number
  readonly maxDepth: number
  /** In rows that were drawn: one that was drawn twice counts once, as in scikit-learn. So does the next one. */
  readonly minSamplesSplit: number
  readonly minSamplesLeaf: number
  readonly bootstrap: boolean
  /** What a row of each class weighs; one number, 1, for a regression. */
  readonly classWeights: Float64Array
}

const featuresPerSplit = (
  rule: HistogramForestParameters['maxFeatures'],
  columns: number,
  kind: TrainingTarget['kind'],
): number => {
  if (typeof rule === 'number') return Math.max(1, Math.min(columns, Math.floor(rule * columns)))
  if (rule === 'sqrt' || (rule === 'auto' && kind === 'classification')) return Math.floor(Math.sqrt(columns))
  if (rule === 'log2') return Math.max(1, Math.floor(Math.log2(columns)))
  return columns
}

/** @throws FitFailed if a criterion for classes is asked for with numbers, or the other way round */
const criterionOf = (
  criterion: HistogramForestParameters['criterion'],
  kind: TrainingTarget['kind'],
): SplitCriterion => {
  if (criterion === 'auto') return kind === 'classification' ? 'gini' : 'squared_error'
  if ((criterion === 'squared_error') === (kind === 'regression')) return criterion
  throw new FitFailed(
    `criterion ${criterion} does not suit a ${kind}; use ` +
      (kind === 'classification' ? 'gini, entropy or auto' : 'squared_error or auto'),
  )
}

/** `rows / (classes * rows of the class)` for balanced weights, as in scikit-learn. */
const classWeightsOf = (rule: HistogramForestParameters['classWeight'], target: TrainingTarget): Float64Array => {
  if (target.kind === 'regression') return new Float64Array(1).fill(1)
  const { labels, classes } = target
  const weights = new Float64Array(classes)
  if (rule === 'none') return weights.fill(1)
  for (const label of labels) weights[label] = weights[label]! + 1
  return weights.map((count) => (count === 0 ? 1 : labels.length / (classes * count)))
}

/** @throws FitFailed if the criterion does not suit the target, or there is nothing to learn from */
export const settleRules = (
  parameters: HistogramForestParameters,
  columns: number,
  target: TrainingTarget,
): GrowthRules => {
  const rows = target.kind === 'classification' ? target.labels.length : target.values.length
  if (rows === 0 || columns === 0) {
    throw new FitFailed(`a forest needs rows and features; there are ${rows} rows of ${columns} features`)
  }
  const { maxDepth, minSamplesSplit, minSamplesLeaf, bootstrap } = parameters
  return {
    criterion: criterionOf(parameters.criterion, target.kind),
    featuresPerSplit: featuresPerSplit(parameters.maxFeatures, columns, target.kind),
    maxDepth,
    minSamplesSplit,
    minSamplesLeaf,
    bootstrap,
    classWeights: classWeightsOf(parameters.classWeight, target),
  }
}
