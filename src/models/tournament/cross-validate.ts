import { type Dataset, takeRows } from '../../features/dataset.ts'
import { deriveSeed } from '../../features/random.ts'
import { rowsOutside } from '../../features/stratified.ts'
import type { Candidate } from '../candidate.ts'
import { evaluateOutputs, scoreAll } from '../evaluate.ts'
import { headlineMetric, headlineOf } from '../headline.ts'
import type { CrossValidation } from '../manifest.ts'
import type { FittedCalibration } from '../model-calibration.ts'
import type { NamedArray } from '../sections.ts'
import type { CandidateFitter } from './candidate-fitter.ts'
import { calibrateAcross, calibrationOf } from './cross-calibrate.ts'
import { summariseFolds } from './fold-scores.ts'
import { putOutputs, takeOutputs } from './held-outputs.ts'
import { type OrReason, orReason } from './left-out.ts'
import type { ProgressCounter } from './progress-counter.ts'

export type CrossValidated = {
  readonly cv: CrossValidation
  /** Mean size of the compiled models of the folds. */
  readonly bytes: number
  /** Null for a candidate that is not calibrated. */
  readonly calibration: FittedCalibration | null
}

export type CrossValidationOptions = {
  readonly training: Dataset
  /** Row indices, `[repetition][fold]`. */
  readonly folds: readonly (readonly Int32Array[])[]
  readonly seed: number
  readonly fitter: CandidateFitter
  readonly progress: ProgressCounter
}

export const bytesOf = (arrays: readonly NamedArray[]): number =>
  arrays.reduce((sum, { values }) => sum + values.byteLength, 0)

/** A fold's rows, scored by a model that was fitted to the other rows. */
const holdOut = async (
  candidate: Candidate,
  held: Int32Array,
  purpose: string,
  { training, seed, fitter }: CrossValidationOptions,
): Promise<{ outputs: Float64Array; bytes: number }> => {
  const rest = (): Dataset => takeRows(training, rowsOutside(training.rows, held))
  const { model } = await fitter.fit(rest, deriveSeed(seed, `${candidate.name} ${purpose}`))
  return { outputs: scoreAll(model.scorer, takeRows(training, held)), bytes: bytesOf(model.arrays) }
}

/** The scores of the folds of one repetition, after calibration where there is one, and how to get its curves. */
const scoreRepetition = (
  { calibration: method }: Candidate,
  training: Dataset,
  folds: readonly Int32Array[],
  held: readonly { readonly outputs: Float64Array }[],
): { scores: number[]; calibration: () => FittedCalibration | null } => {
  const width = training.kind === 'classification' ? training.classNames.length : 1
  const outputs = new Float64Array(training.rows * width)
  folds.forEach((fold, k) => {
    putOutputs(held[k]!.outputs, width, fold, outputs)
  })
  const scoresOf = (final: Float64Array): number[] =>
    folds.map((fold) => headlineOf(evaluateOutputs(takeOutputs(final, width, fold), takeRows(training, fold))).value)
  if (method === 'none' || training.kind === 'regression') {
    return { scores: scoresOf(outputs), calibration: () => null }
  }
  const corrected = calibrateAcross(method, outputs, training, folds)
  return { scores: scoresOf(corrected), calibration: () => calibrationOf(method, outputs, corrected, training) }
}

/**
 * Cross-validates a candidate, each fold with a standardiser and, where it is calibrated, with curves of its own. All
 * folds are fitted even if one fails, so that the reason is that of the first fold in order, whatever ends first.
 */
export const crossValidate = async (
  candidate: Candidate,
  options: CrossValidationOptions,
): Promise<OrReason<CrossValidated>> => {
  const { training, folds, progress } = options
  const fits = await Promise.all(
    folds.flatMap((repetition, r) =>
      repetition.map(async (held, k) => {
        const purpose = r === 0 ? `fold ${k}` : `repetition ${r} fold ${k}`
        const fit = await orReason(holdOut(candidate, held, purpose, options))
        progress.done(candidate.name, r * repetition.length + k)
        return fit
      }),
    ),
  )
  const failed = fits.find((fit) => 'reason' in fit)
  if (failed !== undefined) return failed
  const scored = fits.flatMap((fit) => ('value' in fit ? [fit.value] : []))
  const held = folds.map((repetition, r) => scored.slice(r * repetition.length, (r + 1) * repetition.length))
  const repetitions = folds.map((repetition, r) => scoreRepetition(candidate, training, repetition, held[r]!))
  return {
    value: {
      cv: summariseFolds(
        headlineMetric(training.kind),
        repetitions.map(({ scores }) => scores),
      ),
      bytes: scored.reduce((sum, { bytes }) => sum + bytes, 0) / scored.length,
      // The curves are those of the first repetition, in which each row counts once.
      calibration: repetitions[0]?.calibration() ?? null,
    },
  }
}
