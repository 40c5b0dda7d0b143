/** The outputs of some rows. @param outputs row-major, `width` numbers a row */
export const takeOutputs = (outputs: Float64Array, width: number, rows: Int32Array): Float64Array => {
  const taken = new Float64Array(rows.length * width)
  rows.forEach((row, i) => {
    taken.set(outputs.subarray(row * width, (row + 1) * width), i * width)
  })
  return taken
}

/** Puts outputs back to the rows that they are of; the inverse of `takeOutputs`. */
export const putOutputs = (taken: Float64Array, width: number, rows: Int32Array, outputs: Float64Array): void => {
  rows.forEach((row, i) => {
    outputs.set(taken.subarray(i * width, (i + 1) * width), row * width)
  })
}
