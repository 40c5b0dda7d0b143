/** Where the records of a batch stand, a number of each in every array. Used again from batch to batch. */
export type RecordColumns = {
  capacity: number
  offsets: Float64Array
  timestamps: Float64Array
  keyStarts: Int32Array
  keyEnds: Int32Array
  valueStarts: Int32Array
  valueEnds: Int32Array
  /** Where the number of headers stands; -1 where there are none. */
  headerStarts: Int32Array
  recordEnds: Int32Array
}

export const createRecordColumns = (capacity = 0): RecordColumns => ({
  capacity,
  offsets: new Float64Array(capacity),
  timestamps: new Float64Array(capacity),
  keyStarts: new Int32Array(capacity),
  keyEnds: new Int32Array(capacity),
  valueStarts: new Int32Array(capacity),
  valueEnds: new Int32Array(capacity),
  headerStarts: new Int32Array(capacity),
  recordEnds: new Int32Array(capacity),
})

/** Moves the places of some records, because their bytes were copied elsewhere. */
export const movePlaces = (columns: RecordColumns, first: number, end: number, by: number): void => {
  const { keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, recordEnds } = columns
  for (let i = first; i < end; i++) {
    if (keyStarts[i]! >= 0) {
      keyStarts[i]! += by
      keyEnds[i]! += by
    }
    if (valueStarts[i]! >= 0) {
      valueStarts[i]! += by
      valueEnds[i]! += by
    }
    if (headerStarts[i]! >= 0) headerStarts[i]! += by
    recordEnds[i]! += by
  }
}
