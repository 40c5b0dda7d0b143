import type { Dataset } from '../../features/dataset.ts'
import { createRandom, shuffle } from '../../features/random.ts'
import { evaluate } from '../evaluate.ts'
import { headlineOf } from '../headline.ts'
import type { Scorer } from '../scorer.ts'

/** What the score loses when a feature's values are mixed among the rows. */
export type FeatureImportance = {
  readonly feature: string
  readonly mean: number
  /** Population standard deviation over the repetitions. */
  readonly sd: number
}

export type PermutationOptions = {
  /** How often each feature is mixed, at least 1. */
  readonly repeats: number
  /** 32-bit whole number. */
  readonly seed: number
}

const scoreOf = (scorer: Scorer, dataset: Dataset): number => headlineOf(evaluate(scorer, dataset)).value

/**
 * Permutation importance (Breiman, 2001, section 10): how much accuracy, or R2, a model loses on rows in which one
 * feature's values are shuffled. For any model; rows that it was not trained on tell about new ones.
 * @throws DatasetInvalid if there are no rows, or the rows are not those of the model
 */
export const permutationImportance = (
  scorer: Scorer,
  dataset: Dataset,
  { repeats, seed }: PermutationOptions,
): FeatureImportance[] => {
  const baseline = scoreOf(scorer, dataset)
  const { featureNames, rows } = dataset
  const columns = featureNames.length
  const features = dataset.features.slice()
  const mixed = { ...dataset, features }
  return featureNames.map((feature, column) => {
    const losses = Array.from({ length: repeats }, (_, repeat) => {
      const random = createRandom(seed, `${feature} mixed ${repeat}`)
      const order = shuffle(
        Int32Array.from({ length: rows }, (_value, row) => row),
        random,
      )
      for (let row = 0; row < rows; row++) {
        features[row * columns + column] = dataset.features[order[row]! * columns + column]!
      }
      return baseline - scoreOf(scorer, mixed)
    })
    for (let at = column; at < features.length; at += columns) features[at] = dataset.features[at]!
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / repeats
    const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / repeats
    return { feature, mean, sd: Math.sqrt(variance) }
  })
}
