import type { HistogramForestParameters } from '../../candidate.ts'
import type { TrainingRows } from '../../estimator.ts'
import type { FlatForest } from '../flat-forest.ts'
import { binFeatures } from './bin-features.ts'
import { growTrees } from './grow-trees.ts'
import { settleRules } from './growth-rules.ts'

/**
 * A random forest (Breiman, 2001) over binned features: bootstrap, random features at each split.
 * The same rows, parameters and seed give the same arrays, byte for byte.
 * @param rows raw: NaN where missing, categories by their codes
 * @throws FitFailed if the parameters do not suit the rows
 */
export const fitHistogramForest = (
  rows: TrainingRows,
  parameters: HistogramForestParameters,
  seed: number,
): FlatForest => {
  const rules = settleRules(parameters, rows.columns, rows.target)
  const binned = binFeatures(rows, parameters.maxBins)
  let next = 0
  return growTrees(binned, rows.target, rules, seed, () => (next < parameters.trees ? next++ : undefined))
}
