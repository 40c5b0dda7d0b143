/** A run of equal values of a non-decreasing step fit: it covers `from` to `to`. */
export type IsotonicBlock = {
  readonly from: number
  readonly to: number
  readonly value: number
  /** Rows in the block. */
  readonly rows: number
}

/**
 * The non-decreasing function of `x` that is nearest to `y` by least squares: pool adjacent violators (Barlow,
 * Bartholomew, Bremner and Brunk 1972). Rows of equal `x` are one point, at their mean.
 * @param x finite numbers in any order
 * @param y one number per `x`
 * @returns blocks by ascending `x`, their values strictly ascending
 */
export const fitIsotonic = (x: Float64Array, y: Float64Array): IsotonicBlock[] => {
  const order = Uint32Array.from(x, (_, row) => row).sort((a, b) => x[a]! - x[b]!)
  const from: number[] = []
  const to: number[] = []
  const sums: number[] = []
  const rows: number[] = []
  for (const row of order) {
    const last = from.length - 1
    if (last >= 0 && from[last] === x[row] && to[last] === x[row]) {
      sums[last] = sums[last]! + y[row]!
      rows[last] = rows[last]! + 1
      continue
    }
    poolLast(from, to, sums, rows)
    from.push(x[row]!)
    to.push(x[row]!)
    sums.push(y[row]!)
    rows.push(1)
  }
  poolLast(from, to, sums, rows)
  return from.map((least, i) => ({ from: least, to: to[i]!, value: sums[i]! / rows[i]!, rows: rows[i]! }))
}

/** Joins the last block to those before it as long as it does not lie above them. */
const poolLast = (from: number[], to: number[], sums: number[], rows: number[]): void => {
  for (let last = from.length - 1; last > 0; last--) {
    // Compared as products: the quotients of equal means may differ in their last bit.
    if (sums[last]! * rows[last - 1]! > sums[last - 1]! * rows[last]!) return
    to[last - 1] = to[last]!
    sums[last - 1] = sums[last - 1]! + sums[last]!
    rows[last - 1] = rows[last - 1]! + rows[last]!
    from.pop()
    to.pop()
    sums.pop()
    rows.pop()
  }
}
