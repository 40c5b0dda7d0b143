import { describe, expect, it } from 'vitest'
import type { LibsvmParameters } from '../../../../src/models/candidate.ts'
import type { TrainingRows } from '../../../../src/models/estimator.ts'
import { FitFailed } from '../../../../src/models/model-errors.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { createLibsvmEstimator } from '../../../../src/models/svm/libsvm-estimator.ts'
import { openSvmDecisions } from '../../../../src/models/svm/svm-decisions.ts'
import { openSvm } from '../../../../src/models/svm/svm-scorer.ts'
import fixture from '../../../fixtures/models/linear.json' with { type: 'json' }
import { everyRow, exampleRows, standardisedRows } from '../../../support/example-rows.ts'

const parametersOf = (of: {
  kernel: string
  C: number
  gamma: string | number
  epsilon?: number
}): LibsvmParameters => ({
  kernel: of.kernel as 'rbf' | 'linear',
  C: of.C,
  gamma: of.gamma as number | 'scale',
  epsilon: of.epsilon ?? 0.1,
})

describe('epsilon-SVR', () => {
  it.each(fixture.svr)('predicts as scikit-learn does: $kernel kernel, C $C', (expected) => {
    const rows = exampleRows('diabetes')
    const sections = createSections(createLibsvmEstimator(parametersOf(expected)).fit(rows, 1))
    const score = openSvm(sections, { kind: 'regression', columns: 10, outputs: 1 })
    const out = new Float64Array(1)
    everyRow(rows, 20).forEach((row, i) => {
      score(rows.features, row * 10, 1, out, 0)
      expect(Math.abs(out[0]! - expected.predictions[i]!)).toBeLessThan(1e-9 * 100)
    })
    if (expected.kernel === 'rbf') expect(sections.float64('vectors').length).toBe(expected.support * 10)
  })

  it('predicts the mean where all targets are the same', () => {
    const rows = standardisedRows(Float64Array.of(1, 2, 3), 1, { kind: 'regression', values: Float64Array.of(7, 7, 7) })
    const arrays = createLibsvmEstimator(parametersOf({ kernel: 'rbf', C: 1, gamma: 'scale' })).fit(rows, 1)
    const out = new Float64Array(3)
    openSvm(createSections(arrays), { kind: 'regression', columns: 1, outputs: 1 })(rows.features, 0, 3, out, 0)
    expect([...out]).toEqual([7, 7, 7])
  })

  it('refuses targets whose variance is no number', () => {
    const values = Float64Array.of(1e200, -1e200, 0)
    const rows = standardisedRows(Float64Array.of(1, 2, 3), 1, { kind: 'regression', values })
    const estimator = createLibsvmEstimator(parametersOf({ kernel: 'rbf', C: 1, gamma: 'scale' }))
    expect(() => estimator.fit(rows, 1)).toThrow(FitFailed)
  })
})

const classesOf = ({ target }: TrainingRows): number => (target.kind === 'classification' ? target.classes : 0)

describe.each(fixture.svc)('C-SVC on $data, $kernel kernel', ({ data, every, support, decisions, ...parameters }) => {
  const rows = exampleRows(data)
  const { columns } = rows
  const classes = classesOf(rows)
  const arrays = createLibsvmEstimator(parametersOf(parameters)).fit(rows, 1)
  const sections = createSections(arrays)

  it('decides between each pair of classes as scikit-learn does', () => {
    const pairs = (classes * (classes - 1)) / 2
    const decide = openSvmDecisions(sections, { kind: 'classification', columns, outputs: classes })
    const found = new Float64Array(pairs)
    everyRow(rows, every).forEach((row, i) => {
      decide(rows.features, row * columns, found)
      found.forEach((decision, pair) => {
        expect(Math.abs(decision - decisions[i]![pair]!)).toBeLessThan(1e-9)
      })
    })
    if (sections.has('vectors')) expect(sections.float64('vectors').length).toBe(support * columns)
  })

  it('is right on nearly all rows that it has learnt', () => {
    const out = new Float64Array(rows.rows * classes)
    openSvm(sections, { kind: 'classification', columns, outputs: classes })(rows.features, 0, rows.rows, out, 0)
    const labels = rows.target.kind === 'classification' ? rows.target.labels : new Int32Array()
    const right = labels.filter((label, row) => {
      const shares = out.subarray(row * classes, (row + 1) * classes)
      return shares.every((share) => share <= shares[label]!)
    })
    expect(right.length / rows.rows).toBeGreaterThan(0.95)
  })

  it('gives the same arrays again, whatever LIBSVM has trained before', () => {
    expect(createLibsvmEstimator(parametersOf(parameters)).fit(rows, 1)).toEqual(arrays)
  })
})

describe('degenerate rows', () => {
  const svc = createLibsvmEstimator(parametersOf({ kernel: 'rbf', C: 1, gamma: 'scale' }))
  const probabilities = (rows: TrainingRows): number[] => {
    const classes = classesOf(rows)
    const out = new Float64Array(rows.rows * classes)
    const score = openSvm(createSections(svc.fit(rows, 1)), {
      kind: 'classification',
      columns: rows.columns,
      outputs: classes,
    })
    score(rows.features, 0, rows.rows, out, 0)
    return [...out]
  }
  const labelled = (features: readonly number[], labels: readonly number[], classes: number): TrainingRows =>
    standardisedRows(Float64Array.from(features), features.length / labels.length, {
      kind: 'classification',
      labels: Int32Array.from(labels),
      classes,
    })

  it('are refused where a class has none', () => {
    expect(() => svc.fit(labelled([1, 2, 3, 4], [0, 1, 0, 1], 3), 1)).toThrow(FitFailed)
  })

  it.each([
    ['constant columns', labelled([1, 1, 1, 1], [0, 0, 1, 1], 2)],
    ['equal rows with other classes', labelled([1, 1, 2, 2, 3, 3], [0, 1, 2, 0, 1, 2], 3)],
    ['one row of a class', labelled([1, 2, 3, 9], [0, 0, 0, 1], 2)],
    ['one row of each class', labelled([1, 2, 3], [0, 1, 2], 3)],
    ['classes far apart', labelled([0, 1e-9, 1e9, 1e9 + 1], [0, 0, 1, 1], 2)],
  ])('%s give finite probabilities that sum to 1', (_, rows) => {
    const found = probabilities(rows)
    const classes = classesOf(rows)
    expect(found.every((p) => p >= 0 && p <= 1)).toBe(true)
    for (let row = 0; row < rows.rows; row++) {
      const sum = found.slice(row * classes, (row + 1) * classes).reduce((total, p) => total + p, 0)
      expect(sum).toBeCloseTo(1, 9)
    }
  })
})
