/** Most codes that a column may have: they are bytes. */
export const MAX_BINS = 256

/**
 * Rows whose values are replaced by small codes: the number of a value's bin, in ascending order, or of its category.
 * Missing values, and categories that are not known, have the code `bins[column]`.
 */
export type BinnedRows = {
  readonly rows: number
  readonly columns: number
  /** Column-major, `columns * rows`. */
  readonly codes: Uint8Array
  /** Per column: its bins, or its categories. */
  readonly bins: Int32Array
  /** Per column: how many categories it has, 0 for a number. */
  readonly categories: Int32Array
  /** Least and greatest value of each bin, `columns * MAX_BINS`; of no meaning for categories. */
  readonly lowest: Float64Array
  readonly highest: Float64Array
}

/**
 * Room for binned rows.
 * @param allocate where the arrays are to lie; threads share them through a SharedArrayBuffer
 */
export const allocateBinnedRows = (
  rows: number,
  categories: Int32Array,
  allocate: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): BinnedRows => {
  const columns = categories.length
  const shared = new Int32Array(allocate(4 * columns))
  shared.set(categories)
  return {
    rows,
    columns,
    codes: new Uint8Array(allocate(rows * columns)),
    bins: new Int32Array(allocate(4 * columns)),
    categories: shared,
    lowest: new Float64Array(allocate(8 * columns * MAX_BINS)),
    highest: new Float64Array(allocate(8 * columns * MAX_BINS)),
  }
}
