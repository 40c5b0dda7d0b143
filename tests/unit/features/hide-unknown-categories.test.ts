import { expect, it } from 'vitest'
import { hideUnknownCategories } from '../../../src/features/hide-unknown-categories.ts'

it('makes codes that are none of their feature’s categories missing, and leaves numbers as they are', () => {
  const rows = [
    [9, 0],
    [-1.5, 2],
    [Number.NaN, 3],
    [1e300, 1e9],
    [0, -1],
    [7, 0.5],
    [2, Number.NaN],
  ]
  const out = new Float64Array(16).fill(4)
  hideUnknownCategories([0, 3], Float64Array.from(rows.flat()), 1, 6, out)
  expect([...out.subarray(0, 12)]).toEqual([
    -1.5,
    2,
    Number.NaN,
    Number.NaN,
    1e300,
    Number.NaN,
    0,
    Number.NaN,
    7,
    Number.NaN,
    2,
    Number.NaN,
  ])
  expect([...out.subarray(12)]).toEqual([4, 4, 4, 4])
})
