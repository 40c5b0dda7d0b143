const double = new Float64Array(1)
const bits = new BigInt64Array(double.buffer)

/**
 * The greatest double below `value`: `x < value` for the same x as `x <= nextDown(value)`. NaN and -infinity have none
 * and come back as they are. Steps the bits of IEEE 754-2008, section 5.3.1.
 */
export const nextDown = (value: number): number => {
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) return value
  if (value === 0) return -Number.MIN_VALUE
  double[0] = value
  bits[0] = bits[0]! + (value > 0 ? -1n : 1n)
  return double[0]
}
