/** Columns that each feature takes in the encoded form: one for a number, one per category for a category. */
export const encodedWidths = (categories: ArrayLike<number>): Int32Array =>
  Int32Array.from(categories, (count) => (count === 0 ? 1 : count))

/** Columns of the encoded form. */
export const encodedColumns = (categories: ArrayLike<number>): number =>
  encodedWidths(categories).reduce((sum, width) => sum + width, 0)

/**
 * Spreads each category over one column per category, 1 for the row's own and 0 for the others (one-hot). Numbers
 * stay. A category that is not known is 0 in all its columns; a missing one is NaN in all.
 * @param categories categories of each feature, 0 for a number
 * @param features row-major raw values
 * @param out row-major, `rows * encodedColumns(categories)`, from its first element on
 */
export const encodeInto = (
  categories: ArrayLike<number>,
  features: Float64Array,
  firstRow: number,
  rows: number,
  out: Float64Array,
): void => {
  const width = categories.length
  let from = firstRow * width
  let to = 0
  for (let row = 0; row < rows; row++) {
    for (let feature = 0; feature < width; feature++) {
      const value = features[from++]!
      const count = categories[feature]!
      if (count === 0) {
        out[to++] = value
        continue
      }
      const missing = Number.isNaN(value)
      for (let code = 0; code < count; code++) out[to++] = missing ? Number.NaN : value === code ? 1 : 0
    }
  }
}
