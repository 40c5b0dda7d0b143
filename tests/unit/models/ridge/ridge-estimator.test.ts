import { describe, expect, it } from 'vitest'
import type { TrainingRows } from '../../../../src/models/estimator.ts'
import { FitFailed } from '../../../../src/models/model-errors.ts'
import { createRidgeEstimator } from '../../../../src/models/ridge/ridge-estimator.ts'
import { openRidge } from '../../../../src/models/ridge/ridge-scorer.ts'
import { createSections } from '../../../../src/models/sections.ts'
import fixture from '../../../fixtures/models/linear.json' with { type: 'json' }
import { exampleRows } from '../../../support/example-rows.ts'

const rowsOf = (features: readonly number[], columns: number, values: readonly number[]): TrainingRows => ({
  features: Float64Array.from(features),
  rows: values.length,
  columns,
  categories: new Int32Array(columns),
  target: { kind: 'regression', values: Float64Array.from(values) },
})

describe.each(fixture.ridge)('on the diabetes rows with alpha $alpha', ({ alpha, coefficients, intercept }) => {
  it('finds the coefficients of scikit-learn', () => {
    const weights = createRidgeEstimator({ alpha }).fit(exampleRows('diabetes'), 1)[0]!.values
    coefficients.forEach((coefficient, column) => {
      expect(Math.abs(weights[column]! - coefficient)).toBeLessThan(1e-8)
    })
    expect(Math.abs(weights[10]! - intercept)).toBeLessThan(1e-8)
  })
})

it('finds a line again, whatever the columns are centred on', () => {
  const xs = [10, 11, 12, 14]
  const arrays = createRidgeEstimator({ alpha: 1e-9 }).fit(
    rowsOf(
      xs,
      1,
      xs.map((x) => 3 * x - 7),
    ),
    1,
  )
  const score = openRidge(createSections(arrays), { kind: 'regression', columns: 1, outputs: 1 })
  const out = new Float64Array(4)
  score(Float64Array.of(99, 0, 100), 1, 2, out, 1)
  expect(out[0]).toBe(0)
  expect(out[1]).toBeCloseTo(-7, 6)
  expect(out[2]).toBeCloseTo(293, 6)
  expect(out[3]).toBe(0)
})

it('gives constant columns no weight, and copies of a column the same one', () => {
  const arrays = createRidgeEstimator({ alpha: 1 }).fit(rowsOf([1, 0, 1, 2, 0, 2, 3, 0, 3], 3, [1, 2, 4]), 1)
  const [first, constant, copy] = arrays[0]!.values
  expect(constant).toBe(0)
  expect(first).toBeCloseTo(copy!, 12)
})

it('refuses columns that depend on each other where alpha is too small to tell them apart', () => {
  const rows = rowsOf([1, 1, 2, 2, 3, 3], 2, [1, 2, 4])
  expect(() => createRidgeEstimator({ alpha: 1e-30 }).fit(rows, 1)).toThrow(FitFailed)
})
