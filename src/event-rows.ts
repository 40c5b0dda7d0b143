import type { FeatureEvent, ModelRole } from './events.ts'

/** Why there is no prediction of a row: what its dead letter says. */
export type Refusal = { readonly code: string; readonly message: string }

/**
 * Feature events of one batch, column by column instead of object by object. Features stand in the task's order.
 * Valid until its reader reads the next batch; the arrays may be longer than `length`.
 */
export type EventRows = {
  readonly topic: string
  readonly partition: number
  /** Names of the features. */
  readonly features: readonly string[]
  /** Rows. A record that could not be decoded has none. */
  readonly length: number
  /** By row: the place of its record in the batch. */
  readonly places: Int32Array
  /** By row: the offset of its record. */
  readonly offsets: Float64Array
  /** By row: when it happened, ms since the epoch. */
  readonly eventTimes: Float64Array
  /** UTF-8; what the starts and ends refer to. */
  readonly text: Buffer
  /** By row: where its event id starts in `text`; of an odd row nothing. */
  readonly idStarts: Int32Array
  readonly idEnds: Int32Array
  /** `[row * features.length + feature]`; NaN where a number is missing. Of categories and odd rows nothing. */
  readonly numbers: Float64Array
  /** `[row * features.length + feature]`: where a category starts in `text`, -1 where it is missing. Empty without categories. */
  readonly categoryStarts: Int32Array
  readonly categoryEnds: Int32Array
  /**
   * Rows that were read by the slow, exact way: JSON, a schema that is not read column by column, or a value that
   * may have to be refused. Of them only `places`, `offsets` and `eventTimes` stand in the arrays.
   */
  readonly odd: ReadonlyMap<number, FeatureEvent>
}

/** What of a model its predictions tell. The same object for all batches of one model. */
export type RowModel = {
  readonly version: string
  /** In what capacity it scores. */
  readonly role: ModelRole
  readonly kind: 'classification' | 'regression'
  /** In the order of the probabilities; empty for a regression. */
  readonly classNames: readonly string[]
  /** Numbers that it gives for each row: a probability per class, or the predicted value. */
  readonly outputs: number
  /** In the model's order. */
  readonly featureNames: readonly string[]
  /** By its feature: the place of that feature in `EventRows.features`. */
  readonly columns: Int32Array
  /** By its feature: how many categories it knows, 0 for a number. */
  readonly categoryCounts: Int32Array
}

/**
 * The rows as one model scored them. Valid until its maker scores the next batch, and as long as `rows` is.
 * All arrays go by the rows of `rows`, the refused ones included; what stands there of a refused row means nothing.
 */
export type ScoredRows = {
  readonly rows: EventRows
  readonly model: RowModel
  /** Milliseconds since the epoch. */
  readonly scoredAt: number
  /** `[row * featureNames.length + feature]`, in the model's order; NaN where missing, a category by the model's code. */
  readonly features: Float64Array
  /** `[row * model.outputs + output]`. */
  readonly outputs: Float64Array
  /** By row: the place of the most probable class. Of a regression 0. */
  readonly classIndexes: Int32Array
  /** Rows that could not be scored. */
  readonly refused: ReadonlyMap<number, Refusal>
}
