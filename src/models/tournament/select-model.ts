import { type Dataset, takeRows } from '../../features/dataset.ts'
import type { Candidate } from '../candidate.ts'
import { TrainingFailed } from '../model-errors.ts'
import type { CandidateFitter } from './candidate-fitter.ts'
import { chooseTrial } from './choose-trial.ts'
import { type CrossValidated, crossValidate } from './cross-validate.ts'
import { dealFolds } from './fold-scores.ts'
import { halvingRounds, partOfRows, type SearchRound } from './halving.ts'
import type { ProgressCounter } from './progress-counter.ts'
import { reasonToSkip } from './reason-to-skip.ts'
import { drawTrials } from './search-plan.ts'
import type { SelectionPlan } from './tournament-types.ts'

/** A candidate that may become the model. */
export type TrainedTrial = CrossValidated & {
  readonly status: 'trained'
  readonly candidate: Candidate
  readonly fitter: CandidateFitter
}

export type SkippedTrial = { readonly status: 'skipped'; readonly candidate: Candidate; readonly reason: string }

export type CandidateTrial = TrainedTrial | SkippedTrial

/** The trials of one configured candidate, and the rounds in which they are tried. */
type Contest = { readonly trials: readonly Candidate[]; readonly rounds: readonly SearchRound[] }

/** A selection as it will be made: everything random is settled. */
export type PlannedSelection = {
  readonly plan: SelectionPlan
  readonly seed: number
  readonly contests: readonly Contest[]
  /** Fits of all folds of all rounds. */
  readonly steps: number
}

export type SelectionContext = {
  readonly fitterOf: (candidate: Candidate) => CandidateFitter
  readonly progress: ProgressCounter
}

const contestOf = (candidate: SelectionPlan['candidates'][number], rows: number, seed: number): Contest => {
  const { search, ...plain } = candidate
  if (search === undefined) return { trials: [plain], rounds: [{ trials: 1, rows }] }
  const trials = drawTrials(plain, search, seed)
  const rounds = search.method === 'halving' ? halvingRounds(trials.length, rows) : [{ trials: trials.length, rows }]
  return { trials, rounds }
}

const foldsOfRound = (plan: SelectionPlan, isLast: boolean): number => plan.folds * (isLast ? (plan.repeats ?? 1) : 1)

/** Draws the trials. @param rows training rows that the selection will see */
export const planSelection = (plan: SelectionPlan, rows: number, seed: number): PlannedSelection => {
  const contests = plan.candidates.map((candidate) => contestOf(candidate, rows, seed))
  const steps = contests.flatMap(({ rounds }) =>
    rounds.map((round, r) => round.trials * foldsOfRound(plan, r === rounds.length - 1)),
  )
  return { plan, seed, contests, steps: steps.reduce((sum, count) => sum + count, 0) }
}

const runContest = async (
  { trials, rounds }: Contest,
  training: Dataset,
  { plan, seed }: PlannedSelection,
  { fitterOf, progress }: SelectionContext,
): Promise<CandidateTrial[]> => {
  const found = new Map<Candidate, CandidateTrial>()
  const skip = (candidate: Candidate, reason: string): void => {
    found.set(candidate, { status: 'skipped', candidate, reason })
  }
  const fitters = new Map(trials.map((candidate) => [candidate, fitterOf(candidate)]))
  for (const candidate of trials) {
    const reason = reasonToSkip(candidate, training, plan)
    if (reason !== null) skip(candidate, reason)
  }
  let alive = trials.filter((candidate) => !found.has(candidate))
  for (const [r, round] of rounds.entries()) {
    const next = rounds[r + 1]
    const part = next === undefined ? training : takeRows(training, partOfRows(training, round.rows, plan.folds, seed))
    const folds = dealFolds(part, plan.folds, next === undefined ? (plan.repeats ?? 1) : 1, seed)
    progress.leaveOut(trials[0]!.name, (round.trials - alive.length) * foldsOfRound(plan, next === undefined))
    const results = await Promise.all(
      alive.map(async (candidate) => {
        const fitter = fitters.get(candidate)!
        const result = await crossValidate(candidate, { training: part, folds, seed, fitter, progress })
        return { candidate, fitter, result }
      }),
    )
    const trained = results.flatMap(({ candidate, fitter, result }): TrainedTrial[] => {
      if ('value' in result) return [{ status: 'trained', candidate, fitter, ...result.value }]
      skip(candidate, result.reason)
      return []
    })
    if (next === undefined) for (const trial of trained) found.set(trial.candidate, trial)
    else {
      // The sort keeps the order of the draws where scores are equal.
      const ranked = trained.toSorted((a, b) => b.cv.mean - a.cv.mean)
      ranked.slice(next.trials).forEach(({ candidate, cv }, i) => {
        const place = `place ${next.trials + i + 1} of ${ranked.length}`
        skip(candidate, `halving left it out: ${cv.metric} ${cv.mean.toFixed(4)} on ${part.rows} rows, ${place}`)
      })
      alive = ranked.slice(0, next.trials).map(({ candidate }) => candidate)
    }
  }
  return trials.map((candidate) => found.get(candidate)!)
}

/**
 * Cross-validates all candidates, searches included. The outcome does not depend on the order in which fits end.
 * @param training the only rows that have a say
 * @returns the trials in the order of the configuration and of the draws
 */
export const selectModel = async (
  training: Dataset,
  planned: PlannedSelection,
  context: SelectionContext,
): Promise<CandidateTrial[]> => {
  const contests = planned.contests.map((contest) => runContest(contest, training, planned, context))
  return (await Promise.all(contests)).flat()
}

/** The trial that the plan's rule chooses; undefined if none was trained. */
export const chosenOf = (trials: readonly CandidateTrial[], plan: SelectionPlan): TrainedTrial | undefined =>
  chooseTrial(
    trials.filter((trial) => trial.status === 'trained'),
    plan.selection ?? 'best',
  )

/** That no candidate was trained, with the reason of each. */
export const noneTrained = (trials: readonly CandidateTrial[]): TrainingFailed => {
  const reasons = trials.flatMap((trial) =>
    trial.status === 'skipped' ? [`${trial.candidate.name}: ${trial.reason}`] : [],
  )
  return new TrainingFailed(`no candidate could be trained; ${reasons.join('; ')}`)
}
