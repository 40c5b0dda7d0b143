import { describe, expect, it, vi } from 'vitest'
import type { Dataset } from '../../../../src/features/dataset.ts'
import { fitHistogramForest } from '../../../../src/models/forest/histogram/fit-histogram-forest.ts'
import { impurityImportance } from '../../../../src/models/importance/impurity-importance.ts'
import { permutationImportance } from '../../../../src/models/importance/permutation-importance.ts'
import type { Scorer } from '../../../../src/models/scorer.ts'
import fixture from '../../../fixtures/models/forest.json' with { type: 'json' }
import {
  classTarget,
  exampleNames,
  forestParameters,
  oneTree,
  rawExample,
  rawRows,
} from '../../../support/histogram-rows.ts'

vi.setConfig({ testTimeout: 60_000 })

describe('impurity importance', () => {
  it.each(exampleNames)('%s: sums to 1 and comes near that of scikit-learn', (name) => {
    const rows = rawExample(name)
    const criterion = name === 'diabetes' ? 'squared_error' : 'gini'
    const ours = [1, 2, 3, 4, 5].map((seed) =>
      impurityImportance(fitHistogramForest(rows, forestParameters(), seed), rows.columns, criterion),
    )
    for (const shares of ours) expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    const means = Array.from({ length: rows.columns }, (_, i) => ours.reduce((sum, shares) => sum + shares[i]! / 5, 0))
    // Shares move between features that tell the same, and differ by so much between seeds of scikit-learn, too.
    const furthest = Math.max(...means.map((share, i) => Math.abs(share - fixture[name].importances[i]!)))
    expect(furthest).toBeLessThan(rows.columns <= 4 ? 0.08 : 0.05)
  })

  it('is what the splits take off the impurity', () => {
    // The first split takes 4/9 of 6 rows to 0.5 of 4; the second, on the other feature, the rest.
    const rows = rawRows(
      [
        [0, 0],
        [0, 0],
        [1, 0],
        [1, 0],
        [1, 1],
        [1, 1],
      ],
      classTarget([0, 0, 0, 1, 2, 2]),
    )
    const forest = fitHistogramForest(rows, oneTree({ maxDepth: 2 }), 1)
    const gini = (...shares: number[]): number => 1 - shares.reduce((sum, share) => sum + share * share, 0)
    const root = 6 * gini(3 / 6, 1 / 6, 2 / 6)
    const onSecond = root - 4 * gini(3 / 4, 1 / 4)
    const onFirst = 4 * gini(3 / 4, 1 / 4) - 2 * gini(1 / 2, 1 / 2)
    const [first, second] = impurityImportance(forest, 2, 'gini')
    expect(first).toBeCloseTo(onFirst / (onFirst + onSecond), 12)
    expect(second).toBeCloseTo(onSecond / (onFirst + onSecond), 12)
  })

  it('is 0 where no tree splits', () => {
    const forest = fitHistogramForest(rawRows([[1], [2]], classTarget([0, 0], 1)), oneTree(), 1)
    expect([...impurityImportance(forest, 1, 'gini')]).toEqual([0])
  })
})

describe('permutation importance', () => {
  const rows = 60
  const features = Float64Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? (i >> 1) % 3 : (i * 7) % 11))
  const dataset: Dataset = {
    kind: 'classification',
    featureNames: ['told', 'idle'],
    categories: [[], []],
    classNames: ['a', 'b', 'c'],
    rows,
    features,
    labels: Int32Array.from({ length: rows }, (_, row) => row % 3),
  }
  const scorer: Scorer = {
    kind: 'classification',
    featureNames: dataset.featureNames,
    classNames: dataset.classNames,
    outputs: 3,
    scoreBlock: (values, count, out) => {
      for (let row = 0; row < count; row++) for (let c = 0; c < 3; c++) out[row * 3 + c] = values[2 * row] === c ? 1 : 0
    },
  }

  it('is the accuracy that is lost without a feature, and nothing for one that the model does not ask for', () => {
    const before = features.slice()
    const [told, idle] = permutationImportance(scorer, dataset, { repeats: 20, seed: 3 })
    // Of three classes of equal size a mixed feature gets a third right.
    expect(Math.abs(told!.mean - 2 / 3)).toBeLessThan(0.05)
    expect(told!.sd).toBeGreaterThan(0)
    expect(idle).toEqual({ feature: 'idle', mean: 0, sd: 0 })
    expect(features).toEqual(before)
  })

  it('is the same for the same seed', () => {
    const options = { repeats: 3, seed: 3 }
    expect(permutationImportance(scorer, dataset, options)).toEqual(permutationImportance(scorer, dataset, options))
  })

  it('is the R2 that is lost for numbers', () => {
    const { classNames: _, labels: __, ...shared } = dataset as Extract<Dataset, { kind: 'classification' }>
    const numbers: Dataset = {
      ...shared,
      kind: 'regression',
      targets: Float64Array.from({ length: rows }, (_v, row) => row % 3),
    }
    const model: Scorer = {
      ...scorer,
      kind: 'regression',
      classNames: [],
      outputs: 1,
      scoreBlock: (values, count, out) => {
        for (let row = 0; row < count; row++) out[row] = values[2 * row]!
      },
    }
    // Mixed values are independent of the truth: the squared error doubles the variance, so R2 goes from 1 to -1.
    expect(Math.abs(permutationImportance(model, numbers, { repeats: 20, seed: 3 })[0]!.mean - 2)).toBeLessThan(0.15)
  })
})
