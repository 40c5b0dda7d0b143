import { nextDown } from '../forest/next-down.ts'

const view = new DataView(new ArrayBuffer(4))

/** The next float towards plus infinity. @param value a finite float */
const nextFloatUp = (value: number): number => {
  if (value === 0) return 2 ** -149
  view.setFloat32(0, value)
  const bits = view.getInt32(0)
  view.setInt32(0, value > 0 ? bits + 1 : bits - 1)
  return view.getFloat32(0)
}

/** The next float towards minus infinity. @param value a finite float */
export const nextFloatDown = (value: number): number => -nextFloatUp(-value)

/** Beyond the greatest float the next one would be 2^128, which is where rounding to infinity begins to be measured. */
const orPower = (float: number): number => (Number.isFinite(float) ? float : Math.sign(float) * 2 ** 128)

/**
 * The greatest double that, rounded to float32, is at most `threshold`. So `x <= roundedThreshold(t)` in float64
 * decides as `Math.fround(x) <= t` does, for every double x. Rounding goes to the nearest float, so the border lies
 * halfway to the next one; there, to the even one (IEEE 754, 4.3.1).
 * @param threshold a number or -Infinity; one that is no float is taken down to the next float, which decides the same
 */
export const roundedThreshold = (threshold: number): number => {
  let float = Math.fround(threshold)
  if (float > threshold) float = nextFloatDown(float)
  const halfway = orPower(float) / 2 + orPower(nextFloatUp(float)) / 2
  return Math.fround(halfway) <= threshold ? halfway : nextDown(halfway)
}
