import { mean, standardDeviation } from 'simple-statistics'
import type { Dataset } from '../../features/dataset.ts'
import { createRandom } from '../../features/random.ts'
import { strataOf } from '../../features/strata.ts'
import { stratifiedFolds } from '../../features/stratified.ts'
import type { CrossValidation } from '../manifest.ts'

/**
 * Deals rows to folds, several times over: `[repetition][fold]` holds row indices. Classes, or runs of like targets, are
 * spread evenly.
 */
export const dealFolds = (dataset: Dataset, folds: number, repeats: number, seed: number): Int32Array[][] => {
  const { labels, count } = strataOf(dataset, folds)
  return Array.from({ length: repeats }, (_, repetition) => {
    const purpose = repetition === 0 ? 'folds' : `folds ${repetition}`
    return stratifiedFolds(labels, count, folds, createRandom(seed, purpose))
  })
}

/** Mean and spread of scores. @param scores `[repetition][fold]`, as many folds in each */
export const summariseFolds = (
  metric: CrossValidation['metric'],
  scores: readonly (readonly number[])[],
): CrossValidation => {
  const folds = scores[0]?.length ?? 0
  const all = scores.flat()
  return {
    metric,
    mean: mean(all),
    sd: standardDeviation(all),
    se: mean(scores.map((repetition) => standardDeviation([...repetition]) / Math.sqrt(folds))),
    folds,
    repeats: scores.length,
  }
}
