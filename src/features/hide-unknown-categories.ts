/**
 * Copies rows, with NaN in place of every code that is none of its feature's categories: whoever reads them need not
 * tell an unknown category from a missing value.
 * @param categories categories of each feature, 0 for a number
 * @param features row-major raw values
 * @param firstRow the first row of `features` to read
 * @param out row-major, from its first element on
 */
export const hideUnknownCategories = (
  categories: ArrayLike<number>,
  features: Float64Array,
  firstRow: number,
  rows: number,
  out: Float64Array,
): void => {
  const columns = categories.length
  let from = firstRow * columns
  let to = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = features[from++]!
      const count = categories[column]!
      const isKnown = count === 0 || (value >= 0 && value < count && Number.isInteger(value))
      out[to++] = isKnown ? value : Number.NaN
    }
  }
}
