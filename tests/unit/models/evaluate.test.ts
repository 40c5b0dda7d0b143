import { describe, expect, it } from 'vitest'
import { type ClassDataset, type Dataset, DatasetInvalid } from '../../../src/features/dataset.ts'
import { evaluate as evaluateAny } from '../../../src/models/evaluate.ts'
import type { ClassificationEvaluation } from '../../../src/models/manifest.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import fixture from '../../fixtures/models/sklearn.json' with { type: 'json' }

const evaluate = (scorer: Scorer, dataset: Dataset): ClassificationEvaluation =>
  evaluateAny(scorer, dataset) as ClassificationEvaluation

/** Predicts the class that its only feature names. */
const echo = (classes: number): Scorer => ({
  kind: 'classification',
  outputs: classes,
  featureNames: ['answer'],
  classNames: Array.from({ length: classes }, (_, c) => `c${c}`),
  scoreBlock: (features, rows, probabilities) => {
    probabilities.fill(0)
    for (let row = 0; row < rows; row++) probabilities[row * classes + features[row]!] = 1
  },
})

const rowsOf = (actual: readonly number[], predicted: readonly number[], classes: number): ClassDataset => ({
  kind: 'classification',
  featureNames: ['answer'],
  categories: [[]],
  classNames: echo(classes).classNames,
  rows: actual.length,
  features: Float64Array.from(predicted),
  labels: Int32Array.from(actual),
})

describe('an evaluation has the figures of scikit-learn', () => {
  it.each(fixture.evaluations.map((expected, i) => [i, expected] as const))('case %i', (_, expected) => {
    const { actual, predicted, classes } = expected
    const evaluation = evaluate(echo(classes), rowsOf(actual, predicted, classes))
    expect(evaluation.rows).toBe(actual.length)
    expect(evaluation.confusion).toEqual(expected.confusion)
    expect(evaluation.accuracy).toBeCloseTo(expected.accuracy, 12)
    expect(evaluation.macro_f1).toBeCloseTo(expected.macro_f1, 12)
    evaluation.per_class.forEach((metrics, c) => {
      expect(metrics.class).toBe(`c${c}`)
      expect(metrics.precision).toBeCloseTo(expected.precision[c]!, 12)
      expect(metrics.recall).toBeCloseTo(expected.recall[c]!, 12)
      expect(metrics.f1).toBeCloseTo(expected.f1[c]!, 12)
      expect(metrics.support).toBe(expected.support[c])
    })
  })
})

it('takes the first of equally probable classes', () => {
  const undecided: Scorer = { ...echo(2), scoreBlock: (_, rows, out) => void out.fill(0.5, 0, rows * 2) }
  expect(evaluate(undecided, rowsOf([0, 1], [0, 0], 2)).confusion).toEqual([
    [1, 0],
    [1, 0],
  ])
})

it('scores probabilities, too, and numbers by their own figures', () => {
  expect(evaluate(echo(2), rowsOf([0, 1, 1], [0, 1, 0], 2))).toMatchObject({
    kind: 'classification',
    brier_score: 2 / 3,
  })
  const numbers: Dataset = {
    ...{ kind: 'regression', featureNames: ['answer'], categories: [[]], rows: 2 },
    ...{ features: Float64Array.of(1, 4), targets: Float64Array.of(1, 3) },
  }
  const asItIs: Scorer = {
    ...{ kind: 'regression', featureNames: ['answer'], classNames: [], outputs: 1 },
    scoreBlock: (features, rows, out) => out.set(features.subarray(0, rows)),
  }
  expect(evaluateAny(asItIs, numbers)).toEqual({ kind: 'regression', rows: 2, r2: 0.5, rmse: Math.SQRT1_2, mae: 0.5 })
  expect(() => evaluateAny(asItIs, rowsOf([0], [0], 2))).toThrow(DatasetInvalid)
})

it('refuses rows that it could only misread', () => {
  const rows = rowsOf([0], [0], 2)
  expect(() => evaluate(echo(2), { ...rows, featureNames: ['other'] })).toThrow(DatasetInvalid)
  expect(() => evaluate(echo(2), { ...rows, classNames: ['c1', 'c0'] })).toThrow(DatasetInvalid)
  expect(() => evaluate(echo(2), rowsOf([], [], 2))).toThrow(DatasetInvalid)
})
