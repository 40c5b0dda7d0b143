import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextDown } from '../../../../src/models/forest/next-down.ts'

it('is the greatest double below, so that < and <= decide alike', () => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: false })
  fc.assert(
    fc.property(value, value, (threshold, x) => {
      fc.pre(threshold !== Number.NEGATIVE_INFINITY)
      expect(nextDown(threshold)).toBeLessThan(threshold)
      expect(x <= nextDown(threshold)).toBe(x < threshold)
    }),
    { seed: 1, numRuns: 2000 },
  )
})

it.each([
  [1, 1 - 2 ** -53],
  [0, -5e-324],
  [-0, -5e-324],
  [5e-324, 0],
  [-1, -1 - 2 ** -52],
  [Number.POSITIVE_INFINITY, Number.MAX_VALUE],
  [-Number.MAX_VALUE, Number.NEGATIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [Number.NaN, Number.NaN],
])('of %d is %d', (value, below) => {
  expect(nextDown(value) + 0).toBe(below)
})
