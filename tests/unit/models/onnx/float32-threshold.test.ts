import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextDown } from '../../../../src/models/forest/next-down.ts'
import { nextFloatDown, roundedThreshold } from '../../../../src/models/onnx/float32-threshold.ts'

const nextUp = (value: number): number => -nextDown(-value)

it('decides for every double as float32 would', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true }), (threshold, value) => {
      const border = roundedThreshold(threshold)
      // The border is the last double that rounds to the threshold or below, so its neighbour rounds above.
      return (
        Math.fround(border) <= threshold &&
        Math.fround(nextUp(border)) > threshold &&
        value <= border === Math.fround(value) <= threshold
      )
    }),
    { seed: 1, numRuns: 20_000 },
  )
})

it.each([
  [0, 2 ** -150],
  [-0, 2 ** -150],
  [1, 1 + 2 ** -24],
  [3.4028234663852886e38, nextDown(2 ** 128 - 2 ** 103)],
  // What is below the least float: values that are rounded to -Infinity.
  [Number.NEGATIVE_INFINITY, -(2 ** 128 - 2 ** 103)],
])('takes %s as %s: halfway goes to the even float', (threshold, expected) => {
  expect(roundedThreshold(threshold)).toBe(expected)
})

it('decides as float32 would against a threshold that is no float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e30, max: 1e30 }), fc.double({ noNaN: true }), (threshold, value) => {
      return value <= roundedThreshold(threshold) === Math.fround(value) <= threshold
    }),
    { seed: 2, numRuns: 20_000 },
  )
})

it('steps floats down', () => {
  expect(nextFloatDown(1)).toBe(1 - 2 ** -24)
  expect(nextFloatDown(0)).toBe(-(2 ** -149))
  expect(nextFloatDown(-1)).toBe(-1 - 2 ** -23)
})
