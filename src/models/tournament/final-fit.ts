import type { Dataset } from '../../features/dataset.ts'
import { deriveSeed } from '../../features/random.ts'
import { type FittedModel, fittedModel } from '../fit-candidate.ts'
import { bytesOf } from './cross-validate.ts'
import { type OrReason, orReason } from './left-out.ts'
import type { ProgressCounter } from './progress-counter.ts'
import { type CandidateTrial, chosenOf, noneTrained, type TrainedTrial } from './select-model.ts'
import type { SelectionPlan } from './tournament-types.ts'

export type FinalModel = { readonly model: FittedModel; readonly fitMs: number; readonly bytes: number }

/** The chosen trial and its model. */
export type Champion = { readonly trial: TrainedTrial; readonly final: FinalModel }

export type FinalFitOptions = {
  readonly training: Dataset
  readonly seed: number
  readonly progress: ProgressCounter
}

/** Fits a trial to all training rows, with the curves of its calibration. */
const fitFinal = async (
  { candidate, fitter, calibration }: TrainedTrial,
  { training, seed, progress }: FinalFitOptions,
): Promise<OrReason<FinalModel>> => {
  const complete = async (): Promise<FinalModel> => {
    const { model, fitMs } = await fitter.fit(() => training, deriveSeed(seed, `${candidate.name} all rows`))
    const calibrated =
      calibration === null ? model : fittedModel(candidate, training, model.arrays, model.standardiser, calibration)
    return { model: calibrated, fitMs, bytes: bytesOf(calibrated.arrays) }
  }
  const found = await orReason(complete())
  progress.done(candidate.name, null)
  return found
}

const leaveOut = ({ candidate }: TrainedTrial, reason: string): CandidateTrial => ({
  status: 'skipped',
  candidate,
  reason,
})

/**
 * Fits the trial that the plan's rule chooses to all training rows. If that fails, it is left out after all and the next
 * best is chosen.
 * @returns the trials as they then are, and the chosen one; null if none is left
 */
export const fitChosen = async (
  selected: readonly CandidateTrial[],
  plan: SelectionPlan,
  options: FinalFitOptions,
): Promise<{ trials: CandidateTrial[]; champion: Champion | null }> => {
  let trials = [...selected]
  for (;;) {
    const trial = chosenOf(trials, plan)
    if (trial === undefined) return { trials, champion: null }
    const fit = await fitFinal(trial, options)
    if ('value' in fit) return { trials, champion: { trial, final: fit.value } }
    trials = trials.map((other) => (other === trial ? leaveOut(trial, fit.reason) : other))
  }
}

/** As `fitChosen`. @throws TrainingFailed with the reason of each candidate if none is left */
export const fitBest = async (
  selected: readonly CandidateTrial[],
  plan: SelectionPlan,
  options: FinalFitOptions,
): Promise<{ trials: CandidateTrial[]; champion: Champion }> => {
  const { trials, champion } = await fitChosen(selected, plan, options)
  if (champion === null) throw noneTrained(trials)
  return { trials, champion }
}
