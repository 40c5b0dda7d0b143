import { takeRows } from '../../features/dataset.ts'
import { createRandom, deriveSeed } from '../../features/random.ts'
import { sampleRows } from '../../features/stratified.ts'
import { prepareRows } from '../fit-candidate.ts'
import { flatForestOf } from '../forest/forest-sections.ts'
import { outOfBagScore } from '../forest/histogram/out-of-bag.ts'
import { permutationImportance } from '../importance/permutation-importance.ts'
import type { OutOfBag, PermutationImportance } from '../manifest.ts'
import { createSections } from '../sections.ts'
import type { Champion } from './final-fit.ts'
import type { SplitRows } from './split-rows.ts'

/** Rows that a walk of a tree takes for the out-of-bag score: half a second of them. */
const MAX_WALKS = 5_000_000

const MAX_IMPORTANCE_ROWS = 1000
const MAX_REPEATS = 5
/** Rows scored for the importances in all: two seconds of a machine with a thousand support vectors. */
const MAX_SCORED_ROWS = 60_000

/**
 * What the trees say of the rows that they did not draw; null for other engines, without bootstrap, and where there are
 * so many rows that it would take longer than the training.
 */
const outOfBagOf = ({ trial, final }: Champion, { training }: SplitRows, seed: number): OutOfBag | null => {
  const { candidate } = trial
  if (candidate.engine !== 'histogram' || !candidate.parameters.bootstrap) return null
  if (training.rows * candidate.parameters.trees > MAX_WALKS) return null
  const { rows } = prepareRows(candidate, training)
  const outputs = training.kind === 'classification' ? training.classNames.length : 1
  const forest = flatForestOf(createSections(final.model.arrays), { columns: rows.columns, outputs })
  const found = outOfBagScore(forest, rows, deriveSeed(seed, `${candidate.name} all rows`))
  return found === null ? null : { metric: trial.cv.metric, ...found }
}

/** What the model loses on test rows when one feature is mixed. Null where one round of that would take too long. */
const importanceOf = ({ trial, final }: Champion, { test }: SplitRows, seed: number): PermutationImportance | null => {
  const columns = test.featureNames.length
  const random = createRandom(seed, 'importance rows')
  const rows = takeRows(test, sampleRows(test.rows, MAX_IMPORTANCE_ROWS, random))
  const repeats = Math.min(MAX_REPEATS, Math.floor(MAX_SCORED_ROWS / (columns * rows.rows)))
  if (repeats === 0) return null
  const features = permutationImportance(final.model.scorer, rows, { repeats, seed: deriveSeed(seed, 'importance') })
  return { method: 'permutation', metric: trial.cv.metric, rows: rows.rows, repeats, features }
}

/** What is found out about the chosen model once it is fitted; nothing of it had a say in the choice. */
export const championFacts = (
  champion: Champion,
  rows: SplitRows,
  seed: number,
): { outOfBag: OutOfBag | null; importance: PermutationImportance | null } => ({
  outOfBag: outOfBagOf(champion, rows, seed),
  importance: importanceOf(champion, rows, seed),
})
