import { expect, it } from 'vitest'
import { encodedColumns, encodedWidths, encodeInto } from '../../../src/features/encoder.ts'

const categories = [0, 3, 0]

it('gives a number one column and a category one for each of its names', () => {
  expect([...encodedWidths(categories)]).toEqual([1, 3, 1])
  expect(encodedColumns(categories)).toBe(5)
})

it('marks the own category; none for an unknown one, all missing for a missing one', () => {
  const features = Float64Array.of(9, 9, 9, 1.5, 1, 2.5, 3.5, 3, Number.NaN, 4.5, Number.NaN, 5.5)
  const out = new Float64Array(15)
  encodeInto(categories, features, 1, 3, out)
  const missing = Number.NaN
  expect([...out]).toEqual([1.5, 0, 1, 0, 2.5, 3.5, 0, 0, 0, missing, 4.5, missing, missing, missing, 5.5])
})
