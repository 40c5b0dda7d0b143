import type { Label, Prediction } from '../events.ts'

/** A prediction with the name that makes it one: `topic-partition-offset`, or `http-<event_id>`. */
export type PredictionRow = Prediction & { prediction_id: string }

/** A prediction whose truth is known. */
export type LabelledRow = {
  event_id: string
  event_time: number
  labelled_at: number
  /** In the order of the model; null where missing, a category by its name. */
  features: (number | string | null)[]
  prediction: string
  /** The predicted number; null for a class. */
  value: number | null
  model_version: string
  label: string
}

/** Share of labelled predictions that were right. `accuracy` is null where none is labelled. */
export type AccuracyOf = { labelled: number; correct: number; accuracy: number | null }

export type LiveAccuracy = {
  /** Over the last `window` labelled predictions, by the time their label arrived. */
  overall: AccuracyOf
  by_version: (AccuracyOf & { model_version: string })[]
}

/**
 * How far labelled predictions of numbers were off. `rmse` is null where none is labelled. `r2` is
 * 1 - sum (label - value)^2 / sum (label - mean label)^2, null where the labels do not vary.
 */
export type ErrorsOf = { labelled: number; rmse: number | null; r2: number | null }

export type LiveErrors = {
  /** Over the last `window` labelled predictions, by the time their label arrived. */
  overall: ErrorsOf
  by_version: (ErrorsOf & { model_version: string })[]
}

export type HistoryPage = {
  predictions: (PredictionRow & { label: string | null })[]
  /** Pass as `before` for the next, older page; null at the end. */
  next: string | null
}

/** Predictions and labels, each once. SQLite now; every implementation passes the same contract suite. */
export type HistoryStore = {
  /** Writes all rows in one transaction; a row with a known prediction_id replaces the older one. */
  recordPredictions: (rows: readonly PredictionRow[]) => Promise<void>
  /** Writes all labels in one transaction; the latest `labelled_at` of an event wins. */
  recordLabels: (labels: readonly Label[]) => Promise<void>
  /** Of predicted classes. */
  liveAccuracy: (options: { window: number }) => Promise<LiveAccuracy>
  /** Of predicted numbers; predictions of classes are passed over. */
  liveErrors: (options: { window: number }) => Promise<LiveErrors>
  /**
   * Labelled rows, newest event first, one per event.
   * @param sinceEventTime only events at or after this time, ms since the epoch
   */
  labelledRows: (options: { limit: number; sinceEventTime?: number }) => Promise<LabelledRow[]>
  countLabelled: (options: { sinceEventTime?: number }) => Promise<number>
  /** Newest first by scored_at. */
  predictions: (options: { limit: number; before?: string; eventId?: string }) => Promise<HistoryPage>
  counts: () => Promise<{ predictions: number; labels: number; labelled: number }>
  close: () => Promise<void>
}

/** The half of the history that only asks. */
export type HistoryReader = Omit<HistoryStore, 'recordPredictions' | 'recordLabels'>
