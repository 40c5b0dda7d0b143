import type { Dataset } from '../../features/dataset.ts'
import type { Candidate } from '../candidate.ts'
import { type FittedModel, fittedModel, prepareRows } from '../fit-candidate.ts'
import type { FitRunner } from '../fit-task.ts'
import { FitFailed } from '../model-errors.ts'
import type { FitSlots } from './fit-slots.ts'

/** Fits one candidate to several sets of rows, within a time limit for all of them together. */
export type CandidateFitter = {
  /**
   * @param rowsToFit called once the fit's turn has come, so that no copy of rows waits
   * @returns the model, not calibrated, and how long its fit took
   * @throws FitFailed, also when the time limit is met; what aborted `signal`
   */
  readonly fit: (rowsToFit: () => Dataset, seed: number) => Promise<{ model: FittedModel; fitMs: number }>
}

export type FitterDeps = {
  readonly run: FitRunner
  readonly slots: FitSlots
  readonly signal: AbortSignal
  readonly now: () => number
  readonly startTimer: (afterMs: number, onElapsed: () => void) => () => void
  readonly timeLimitSeconds: number | undefined
}

export const createCandidateFitter = (candidate: Candidate, deps: FitterDeps): CandidateFitter => {
  const { run, slots, signal, now } = deps
  const limitMs = (deps.timeLimitSeconds ?? Number.POSITIVE_INFINITY) * 1000
  const overTime = new AbortController()
  const either = AbortSignal.any([signal, overTime.signal])
  let spentMs = 0

  const tooLong = (): FitFailed =>
    new FitFailed(
      `${candidate.engine} took longer than ${deps.timeLimitSeconds} s; raise timeLimitSeconds or ask for less`,
    )

  return {
    fit: (rowsToFit, seed) =>
      slots.take(async () => {
        signal.throwIfAborted()
        if (overTime.signal.aborted || spentMs > limitMs) throw tooLong()
        const training = rowsToFit()
        const { rows, standardiser } = prepareRows(candidate, training)
        let startedMs = now()
        let callOff: (() => void) | undefined
        // From now on: until a thread is free, or one that another candidate used up is replaced, the fit only waits.
        const onBegin = (): void => {
          startedMs = now()
          if (limitMs === Number.POSITIVE_INFINITY) return
          callOff = deps.startTimer(limitMs - spentMs, () => overTime.abort(tooLong()))
        }
        try {
          const arrays = await run({ candidate, rows, seed }, { signal: either, onBegin })
          const fitMs = now() - startedMs
          spentMs += fitMs
          // A runner that cannot be interrupted ends late, and no differently.
          if (spentMs > limitMs) throw tooLong()
          return { model: fittedModel(candidate, training, arrays, standardiser), fitMs }
        } catch (error) {
          signal.throwIfAborted()
          if (overTime.signal.aborted) throw tooLong()
          throw error
        } finally {
          callOff?.()
        }
      }),
  }
}
