import type { Dataset } from '../../features/dataset.ts'
import { evaluate } from '../evaluate.ts'
import type { FitRunner } from '../fit-task.ts'
import type { CandidateReport, Evaluation } from '../manifest.ts'
import { createCandidateFitter } from './candidate-fitter.ts'
import { type Champion, type FinalFitOptions, fitBest, fitChosen } from './final-fit.ts'
import { createFitSlots } from './fit-slots.ts'
import { planOuterFolds, scoreNested } from './nested.ts'
import { createProgressCounter } from './progress-counter.ts'
import {
  type CandidateTrial,
  type PlannedSelection,
  planSelection,
  type SelectionContext,
  selectModel,
} from './select-model.ts'
import { type SplitRows, splitRows } from './split-rows.ts'
import { artefactOf } from './tournament-artefact.ts'
import type { TournamentOptions, TournamentResult } from './tournament-types.ts'

/** A trial after its fit to all training rows. Only the winner keeps its model: the others may be many and large. */
type Finalist = { readonly test: Evaluation; readonly fitMs: number; readonly bytes: number }

const startTimer = (afterMs: number, onElapsed: () => void): (() => void) => {
  const timer = setTimeout(onElapsed, afterMs)
  return () => clearTimeout(timer)
}

const reportOn = (trial: CandidateTrial, finalist: Finalist | undefined): CandidateReport => {
  const { name, family, engine, parameters, calibration } = trial.candidate
  const known = { name, family, engine, parameters: { ...parameters }, calibration }
  if (trial.status === 'skipped') return { ...known, status: 'skipped', reason: trial.reason }
  return { ...known, status: 'trained', cv: trial.cv, ...(finalist === undefined ? {} : { test: finalist.test }) }
}

/**
 * Fits the chosen trial to all training rows, and then the best trial of each other configured candidate, for the report.
 * The trials that lost their search are not fitted again: they may be a thousand, and their scores say why they lost.
 */
const fitFinalists = async (
  selected: readonly CandidateTrial[],
  { plan, contests }: PlannedSelection,
  test: Dataset,
  options: FinalFitOptions,
): Promise<{ trials: CandidateTrial[]; champion: Champion; finalists: Map<string, Finalist> }> => {
  const finalists = new Map<string, Finalist>()
  const keep = ({ trial, final: { model, fitMs, bytes } }: Champion): void => {
    finalists.set(trial.candidate.name, { test: evaluate(model.scorer, test), fitMs, bytes })
  }
  const { trials: left, champion } = await fitBest(selected, plan, options)
  keep(champion)
  const contestants = contests.map(({ trials }) => left.filter(({ candidate }) => trials.includes(candidate)))
  const trials = await Promise.all(
    contestants.map(async (own) => {
      if (own.includes(champion.trial)) return own
      if (own.every(({ status }) => status === 'skipped')) options.progress.leaveOut(own[0]!.candidate.name, 1)
      const fitted = await fitChosen(own, plan, options)
      if (fitted.champion !== null) keep(fitted.champion)
      return fitted.trials
    }),
  )
  return { trials: trials.flat(), champion, finalists }
}

/** The choice, the fits that follow it and, where it is asked for, the nested figure. */
const contend = async (options: TournamentOptions, rows: SplitRows, run: FitRunner, signal: AbortSignal) => {
  const { seed } = options
  const { training } = rows
  const planned = planSelection(options, training.rows, seed)
  const outerFolds = options.nested === true ? planOuterFolds(training, options, seed) : []
  const outerSteps = outerFolds.reduce((sum, { planned: inner }) => sum + inner.steps + 1, 0)
  const progress = createProgressCounter(planned.steps + planned.contests.length + outerSteps, options.onProgress)
  const slots = createFitSlots(options.parallelFits ?? 1)
  const fitterDeps = {
    run,
    slots,
    signal,
    now: options.now ?? (() => performance.now()),
    startTimer: options.startTimer ?? startTimer,
    timeLimitSeconds: options.timeLimitSeconds,
  }
  const context: SelectionContext = {
    fitterOf: (candidate) => createCandidateFitter(candidate, fitterDeps),
    progress,
  }
  const selected = await selectModel(training, planned, context)
  const outcome = await fitFinalists(selected, planned, rows.test, { training, seed, progress })
  const nested = outerFolds.length === 0 ? null : await scoreNested(training, outerFolds, context)
  return { ...outcome, nested }
}

/**
 * Trains every candidate on the same rows and makes one of them a model. The test rows come from `base` only, so tests
 * of models of different times can be compared; the rest of `base` and all of `recent` are trained on. The model is
 * chosen by cross-validation on the training rows; the test rows have no say. The same input gives the same artefact,
 * byte for byte, however many fits run at once and in whatever order they end, unless a time limit is met.
 * Scoring and preparing happen in the calling thread, fits where `run` makes them: it belongs in a worker thread.
 * @throws TrainingFailed, DatasetInvalid; what `run` throws except FitFailed, which leaves its candidate out; the reason
 * of an aborted `signal`
 */
export const trainTournament = async (options: TournamentOptions, run: FitRunner): Promise<TournamentResult> => {
  const now = options.now ?? (() => performance.now())
  const startedMs = now()
  const rows = splitRows(options)
  // Where one fit ends the training, those that wait or run are not to go on.
  const ending = new AbortController()
  const signal = options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal])
  try {
    signal.throwIfAborted()
    const { trials, champion, finalists, nested } = await contend(options, rows, run, signal)
    const candidates = trials.map((trial) => reportOn(trial, finalists.get(trial.candidate.name)))
    const artefact = artefactOf(options, champion, rows, { candidates, nested })
    const entries = trials.flatMap(({ candidate: { name } }) => {
      const finalist = finalists.get(name)
      return finalist === undefined ? [] : [{ name, ...finalist }]
    })
    return {
      artefact,
      timings: {
        seconds: (now() - startedMs) / 1000,
        fit_seconds: Object.fromEntries(entries.map(({ name, fitMs }) => [name, fitMs / 1000])),
        artefact_bytes: Object.fromEntries(entries.map(({ name, bytes }) => [name, bytes])),
      },
    }
  } finally {
    ending.abort()
  }
}
