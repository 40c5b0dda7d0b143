import type { HistogramForestParameters, ModelEngine } from '../models/candidate.ts'
import type { TrainingRows, TrainingTarget } from '../models/estimator.ts'
import type { FitTask } from '../models/fit-task.ts'
import type { BinnedRows } from '../models/forest/histogram/binned-rows.ts'
import type { TreePart } from '../models/forest/histogram/join-trees.ts'
import type { NamedArray } from '../models/sections.ts'
import type { SentError } from './sent-error.ts'

/** A piece of work for a thread. The rows in it lie in shared memory. */
export type FitWork =
  /** None, but what the engine needs is loaded; done as soon as a thread is free. */
  | { readonly type: 'begin'; readonly engine: ModelEngine }
  /** A whole fit. */
  | { readonly type: 'fit'; readonly task: FitTask }
  /** The codes of some columns, written into `binned`. */
  | {
      readonly type: 'bin'
      readonly rows: TrainingRows
      readonly maxBins: number
      readonly binned: BinnedRows
      readonly fromColumn: number
      readonly toColumn: number
    }
  /** Trees of a forest, as many as there are left to take. */
  | {
      readonly type: 'grow'
      readonly binned: BinnedRows
      readonly target: TrainingTarget
      readonly parameters: HistogramForestParameters
      readonly seed: number
      /** One shared number: the next tree that nobody has taken. */
      readonly nextTree: Int32Array
    }
  /** The whole forest from its parts. */
  | { readonly type: 'join'; readonly parts: readonly TreePart[] }

/** What the thread gives back for each piece. */
export type FitResults = {
  begin: null
  fit: NamedArray[]
  bin: null
  grow: TreePart
  join: NamedArray[]
}

export type FitReply<T extends FitWork['type'] = FitWork['type']> =
  | { readonly status: 'done'; readonly result: FitResults[T] }
  | { readonly status: 'failed'; readonly error: SentError }
