import { type Dataset, takeRows } from '../../features/dataset.ts'
import { deriveSeed } from '../../features/random.ts'
import { rowsOutside } from '../../features/stratified.ts'
import { evaluate } from '../evaluate.ts'
import { headlineMetric, headlineOf } from '../headline.ts'
import type { CrossValidation } from '../manifest.ts'
import { fitBest } from './final-fit.ts'
import { dealFolds, summariseFolds } from './fold-scores.ts'
import { reasonToSkip } from './reason-to-skip.ts'
import { type PlannedSelection, planSelection, type SelectionContext, selectModel } from './select-model.ts'
import type { SelectionPlan } from './tournament-types.ts'

/** The choice as it will be made within one outer fold. */
export type OuterFold = { readonly held: Int32Array; readonly rest: Int32Array; readonly planned: PlannedSelection }

/**
 * Deals the outer folds, as many as the inner ones, and plans the choice within each. A candidate that all rows are too
 * many for is left out there, too: it would have a say in the figure of a choice in which it has none.
 */
export const planOuterFolds = (training: Dataset, selection: SelectionPlan, seed: number): OuterFold[] => {
  const candidates = selection.candidates.filter((candidate) => reasonToSkip(candidate, training, selection) === null)
  const plan = { ...selection, candidates }
  const [folds = []] = dealFolds(training, plan.folds, 1, deriveSeed(seed, 'outer folds'))
  return folds.map((held, k) => {
    const rest = rowsOutside(training.rows, held)
    return { held, rest, planned: planSelection(plan, rest.length, deriveSeed(seed, `outer fold ${k}`)) }
  })
}

/**
 * What choosing as `plan` says gives on rows that had no say in it: within each outer fold everything is done anew,
 * search, calibration and rule, and the chosen model meets the rows that were held out. Unlike the score of the winner
 * among many it is not flattered by the choice (Varma and Simon 2006; Cawley and Talbot 2010).
 * @throws TrainingFailed if within some fold no candidate can be trained
 */
export const scoreNested = async (
  training: Dataset,
  outerFolds: readonly OuterFold[],
  context: SelectionContext,
): Promise<CrossValidation> => {
  const scores = await Promise.all(
    outerFolds.map(async ({ held, rest, planned }) => {
      const inner = takeRows(training, rest)
      const trials = await selectModel(inner, planned, context)
      const { champion } = await fitBest(trials, planned.plan, { training: inner, seed: planned.seed, ...context })
      return headlineOf(evaluate(champion.final.model.scorer, takeRows(training, held))).value
    }),
  )
  return summariseFolds(headlineMetric(training.kind), [scores])
}
