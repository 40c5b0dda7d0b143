import { classNamesOf, countClasses, type Dataset, joinRows, takeRows } from '../../features/dataset.ts'
import { createRandom } from '../../features/random.ts'
import { strataOf } from '../../features/strata.ts'
import { stratifiedSplit } from '../../features/stratified.ts'
import { TrainingFailed } from '../model-errors.ts'
import type { TournamentInput } from './tournament-types.ts'

/** The rows of a training by what they are for. */
export type SplitRows = {
  /** Base rows that no choice and no fit sees. */
  readonly test: Dataset
  readonly training: Dataset
  /** Where the reference sample is drawn from: the recent rows where there are any. */
  readonly reference: Dataset
}

/** @throws TrainingFailed if the rows are not those that the task describes */
const checkInput = ({ features, classNames, base, recent, test, candidates }: TournamentInput): void => {
  if (recent?.rows === 0) {
    throw new TrainingFailed('there are no recent rows; leave them out, or wait until some are labelled')
  }
  if (candidates.length === 0) throw new TrainingFailed('there are no candidates to train; the task needs one')
  const wanted = features.map(({ name }) => name)
  for (const dataset of [base, recent, test]) {
    if (dataset === undefined) continue
    const same = JSON.stringify([dataset.featureNames, classNamesOf(dataset)]) === JSON.stringify([wanted, classNames])
    if (same) continue
    throw new TrainingFailed(
      `rows with features [${dataset.featureNames}] and classes [${classNamesOf(dataset)}] do not fit the task, ` +
        `whose features are [${wanted}] and classes [${classNames}], in this order`,
    )
  }
  // The codes of one would be read as those of the other.
  if (test !== undefined && JSON.stringify(test.categories) !== JSON.stringify(base.categories)) {
    throw new TrainingFailed('the test rows have other categories, or in another order, than the rows to train on')
  }
}

/**
 * A class that a fold holds out whole would be missing from what the fold trains on; of nested folds an outer one takes
 * its share first.
 */
const checkClasses = (training: Dataset, { folds, nested }: TournamentInput): void => {
  if (training.kind === 'regression') return
  const counts = countClasses(training.labels, training.classNames.length)
  const left = (count: number): number => (nested === true ? count - Math.ceil(count / folds) : count)
  const scarce = training.classNames.filter((_, c) => left(counts[c]!) < 2)
  if (scarce.length === 0) return
  const needed = nested === true ? 'too few training rows for nested folds' : 'fewer than 2 training rows'
  throw new TrainingFailed(`classes [${scarce}] have ${needed}; add rows of them, or take them out of the task`)
}

/** Runs of like targets, long enough that the test part takes two rows of each. */
const rowsPerStratum = (testFraction: number): number =>
  Math.max(10, Math.ceil(2 / Math.min(testFraction, 1 - testFraction)))

/**
 * Keeps a part of the base rows for testing, unless there are other rows to test with, and trains on all others.
 * Classes, or runs of like targets, are in the same shares in both parts.
 * @throws TrainingFailed, DatasetInvalid if the rows allow no training
 */
export const splitRows = (input: TournamentInput): SplitRows => {
  checkInput(input)
  const { base, recent, seed, testFraction } = input
  const joined = (rows: Dataset): Dataset => (recent === undefined ? rows : joinRows(rows, recent))
  if (input.test !== undefined) {
    const training = joined(base)
    checkClasses(training, input)
    return { test: input.test, training, reference: recent ?? base }
  }
  const { labels, count } = strataOf(base, rowsPerStratum(testFraction))
  const split = stratifiedSplit(labels, count, testFraction, createRandom(seed, 'split'))
  const baseTraining = takeRows(base, split.train)
  const training = joined(baseTraining)
  checkClasses(training, input)
  return { test: takeRows(base, split.test), training, reference: recent ?? baseTraining }
}
