import type { Candidate } from './candidate.ts'
import type { TrainingRows } from './estimator.ts'
import type { NamedArray } from './sections.ts'

/** One fit, as data that can be sent to a thread. */
export type FitTask = {
  readonly candidate: Candidate
  readonly rows: TrainingRows
  /** 32-bit whole number. The same rows and seed give the same arrays, wherever and however the fit runs. */
  readonly seed: number
}

export type FitOptions = {
  readonly signal?: AbortSignal
  /** Called once the fit begins. What went before was waiting for a thread, and is not the fit's own time. */
  readonly onBegin?: () => void
}

/**
 * Fits, here or in other threads, and gives back the compiled arrays.
 * @throws FitFailed; FitAborted once `signal` is aborted
 */
export type FitRunner = (task: FitTask, options?: FitOptions) => Promise<NamedArray[]>
