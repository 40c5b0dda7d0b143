/**
 * Solves `matrix x = right` for a symmetric positive definite matrix, by Cholesky's decomposition in place (Golub, Van
 * Loan, Matrix Computations, section 4.2). Only the lower triangle is read, and it is overwritten; `right` becomes x.
 * @param matrix row-major, `size * size`
 * @returns false if the matrix is not positive definite within rounding
 */
export const solveCholesky = (matrix: Float64Array, right: Float64Array): boolean => {
  const size = right.length
  const dot = (a: number, b: number, count: number): number => {
    let sum = 0
    for (let k = 0; k < count; k++) sum += matrix[a + k]! * matrix[b + k]!
    return sum
  }
  for (let row = 0; row < size; row++) {
    const at = row * size
    for (let column = 0; column < row; column++) {
      const other = column * size
      matrix[at + column] = (matrix[at + column]! - dot(at, other, column)) / matrix[other + column]!
    }
    const diagonal = matrix[at + row]!
    const pivot = diagonal - dot(at, at, row)
    // What is left of a dependent column is rounding: no more than this share of what it was.
    if (!(pivot > size * Number.EPSILON * diagonal)) return false
    matrix[at + row] = Math.sqrt(pivot)
  }
  for (let row = 0; row < size; row++) {
    let sum = right[row]!
    for (let k = 0; k < row; k++) sum -= matrix[row * size + k]! * right[k]!
    right[row] = sum / matrix[row * size + row]!
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = right[row]!
    for (let k = row + 1; k < size; k++) sum -= matrix[k * size + row]! * right[k]!
    right[row] = sum / matrix[row * size + row]!
  }
  return true
}
