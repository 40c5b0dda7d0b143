import type { Dataset } from '../../features/dataset.ts'
import type { FeatureSpec } from '../../features/feature-spec.ts'
import type { Candidate } from '../candidate.ts'
import type { ModelArtefact, RunRecord } from '../manifest.ts'
import type { SearchPlan } from './search-plan.ts'

/** A candidate, or with a search as many as are drawn from its ranges. */
export type TournamentCandidate = Candidate & { readonly search?: SearchPlan }

/** `best`: the best mean score; `one_standard_error`: the smallest model within one standard error of it. */
export type SelectionRule = 'best' | 'one_standard_error'

/** How the model is chosen. The same keys as the task's `training`. */
export type SelectionPlan = {
  readonly candidates: readonly TournamentCandidate[]
  readonly folds: number
  /** How often the folds are dealt anew; 1 if it is left out. */
  readonly repeats?: number
  /** `best` if it is left out. */
  readonly selection?: SelectionRule
  /** Most seconds that the fits of one candidate may take, all together. */
  readonly timeLimitSeconds?: number
  /** Most memory that a fit may take by `estimateFitMiB`. */
  readonly memoryLimitMb?: number
}

/** What a training needs, as data that can be sent to a thread. */
export type TournamentInput = SelectionPlan & {
  readonly task: string
  /** The inputs of the model, in its order. */
  readonly features: readonly FeatureSpec[]
  /** The classes, in the model's order; none for a regression. */
  readonly classNames: readonly string[]
  /** The task's own rows. */
  readonly base: Dataset
  /** Labelled rows of late. All of them are trained on, and the reference sample is drawn from them. */
  readonly recent?: Dataset
  /** Rows to test with; where they are left out, a part of the base rows is kept. They may hold unknown categories. */
  readonly test?: Dataset
  /** 32-bit whole number. */
  readonly seed: number
  /** Whether the whole choice is done within outer folds, too. */
  readonly nested?: boolean
  /** Share of the base rows that is kept for testing, the same of each class. */
  readonly testFraction: number
  /** At most this many rows become the reference sample. */
  readonly referenceRows: number
  /** The version in production, or null. */
  readonly parent: string | null
  readonly reason: string
}

/** How a training runs; nothing here has a say in what comes out, unless a time limit is met. */
export type TournamentConduct = {
  /** Fits at the same time; 1 if it is left out. Each holds a copy of its rows. */
  readonly parallelFits?: number
  readonly onProgress?: (progress: TournamentProgress) => void
  /** Ends the training early. */
  readonly signal?: AbortSignal
  /** A clock in milliseconds, for timings and the time limit. */
  readonly now?: () => number
  /** Calls back once after so many milliseconds, for the time limit. @returns what calls it off */
  readonly startTimer?: (afterMs: number, onElapsed: () => void) => () => void
}

export type TournamentOptions = TournamentInput & TournamentConduct

/** A step that has ended. `fold` counts over all repetitions, and is null for a fit on all training rows. */
export type TournamentProgress = {
  readonly candidate: string
  readonly fold: number | null
  readonly stepsDone: number
  readonly stepsTotal: number
}

/** What depends on the machine: the parts of a `RunRecord` that training knows, by name of candidate. */
export type TournamentTimings = Pick<RunRecord, 'seconds' | 'fit_seconds' | 'artefact_bytes'>

export type TournamentResult = { readonly artefact: ModelArtefact; readonly timings: TournamentTimings }
