import { describe, expect, it } from 'vitest'
import type { TrainingRows } from '../../../../src/models/estimator.ts'
import { createLbfgsEstimator } from '../../../../src/models/logistic/lbfgs-estimator.ts'
import { openLogistic } from '../../../../src/models/logistic/logistic-scorer.ts'
import { FitFailed } from '../../../../src/models/model-errors.ts'
import { createSections } from '../../../../src/models/sections.ts'
import fixture from '../../../fixtures/models/linear.json' with { type: 'json' }
import { everyRow, exampleRows, standardisedRows } from '../../../support/example-rows.ts'

const trained = (rows: TrainingRows, C: number, tolerance = 1e-10, maxIterations = 10_000) =>
  createLbfgsEstimator({ C, tolerance, maxIterations }).fit(rows, 1)

describe.each(fixture.logistic)('on $data with C $C', ({ data, C, coefficients, intercepts, probabilities }) => {
  const rows = exampleRows(data)
  const classes = rows.target.kind === 'classification' ? rows.target.classes : 0
  const arrays = trained(rows, C)
  const weights = arrays[0]!.values

  it('finds the coefficients of scikit-learn', () => {
    const width = rows.columns + 1
    // Of two classes scikit-learn keeps one vector, that of the log-odds; ours is the difference of two.
    const ours = (machine: number, at: number): number =>
      classes === 2 ? weights[width + at]! - weights[at]! : weights[machine * width + at]!
    coefficients.forEach((row, machine) => {
      row.forEach((coefficient, column) => {
        expect(Math.abs(ours(machine, column) - coefficient)).toBeLessThan(1e-7)
      })
      expect(Math.abs(ours(machine, rows.columns) - intercepts[machine]!)).toBeLessThan(1e-7)
    })
  })

  it('gives its probabilities', () => {
    const score = openLogistic(createSections(arrays), {
      kind: 'classification',
      columns: rows.columns,
      outputs: classes,
    })
    const out = new Float64Array(classes)
    everyRow(rows, 40).forEach((row, i) => {
      score(rows.features, row * rows.columns, 1, out, 0)
      out.forEach((probability, c) => {
        expect(Math.abs(probability - probabilities[i]![c]!)).toBeLessThan(1e-7)
      })
    })
  })
})

const classesOf = (labels: readonly number[], classes: number): TrainingRows['target'] => ({
  kind: 'classification',
  labels: Int32Array.from(labels),
  classes,
})

describe('degenerate rows', () => {
  it('separable classes have a finite optimum, because the weights are regularised', () => {
    const rows = standardisedRows(Float64Array.of(-2, -1, 1, 2), 1, classesOf([0, 0, 1, 1], 2))
    const weights = trained(rows, 1e4)[0]!.values
    expect(weights.every(Number.isFinite)).toBe(true)
    expect(weights[2]!).toBeGreaterThan(0)
  })

  it('constant columns get the weight 0, and the intercepts then tell the shares of the classes', () => {
    const rows = standardisedRows(new Float64Array(6).fill(3), 1, classesOf([0, 0, 0, 1, 1, 2], 3))
    const arrays = trained(rows, 1)
    const out = new Float64Array(3)
    openLogistic(createSections(arrays), { kind: 'classification', columns: 1, outputs: 3 })(
      rows.features,
      0,
      1,
      out,
      0,
    )
    ;[3 / 6, 2 / 6, 1 / 6].forEach((share, c) => {
      expect(out[c]).toBeCloseTo(share, 8)
    })
    expect(arrays[0]!.values[0]).toBe(0)
  })

  it('copies of a column share its weight', () => {
    const raw = [-2, 0.5, -0.5, 1, 2, 0.2]
    const labels = classesOf([0, 0, 1, 1, 1, 0], 2)
    const twice = trained(standardisedRows(Float64Array.from(raw.flatMap((x) => [x, x])), 2, labels), 1)[0]!.values
    expect(twice[3]).toBeCloseTo(twice[4]!, 8)
  })
})

it('refuses to give weights that have not converged, and says how far it came', () => {
  const rows = exampleRows('digits')
  expect(() => trained(rows, 1, 1e-10, 3)).toThrow(FitFailed)
  expect(() => trained(rows, 1, 1e-10, 3)).toThrow(/after 3 iterations the gradient is .* more maxIterations/)
})

it('refuses a tolerance below what rounding allows, instead of searching on', () => {
  expect(() => trained(exampleRows('iris'), 1, 1e-300)).toThrow(/has not converged/)
})
