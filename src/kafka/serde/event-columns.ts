/** The memory of the columns of `EventRows`, used again from batch to batch. */
export type EventColumns = {
  /** Rows that there is room for. */
  readonly capacity: number
  readonly places: Int32Array
  readonly offsets: Float64Array
  readonly eventTimes: Float64Array
  readonly idStarts: Int32Array
  readonly idEnds: Int32Array
  readonly numbers: Float64Array
  readonly categoryStarts: Int32Array
  readonly categoryEnds: Int32Array
}

export const createEventColumns = (capacity: number, features: number, hasCategories: boolean): EventColumns => ({
  capacity,
  places: new Int32Array(capacity),
  offsets: new Float64Array(capacity),
  eventTimes: new Float64Array(capacity),
  idStarts: new Int32Array(capacity),
  idEnds: new Int32Array(capacity),
  numbers: new Float64Array(capacity * features),
  categoryStarts: new Int32Array(hasCategories ? capacity * features : 0),
  categoryEnds: new Int32Array(hasCategories ? capacity * features : 0),
})
