import type { ModelArtefact } from '../../models/manifest.ts'
import type { FeatureColumn } from './row-reader.ts'
import type { KeptColumns, OnError } from './score-block.ts'

/** What a scoring thread needs to know, as data that can be sent to it. */
export type ScoringPlan = {
  readonly model: ModelArtefact
  readonly features: readonly FeatureColumn[]
  /** Columns of the file. */
  readonly columns: number
  readonly keep: KeptColumns
  readonly onError: OnError
  /** Whether the contributions of the features are written, too. */
  readonly explain: boolean
}

/** Whole records to score, from `from` on. */
export type ScoringRequest = { readonly block: Uint8Array<ArrayBuffer>; readonly from: number }
