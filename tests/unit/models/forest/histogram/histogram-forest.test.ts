import { describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../../../../src/features/random.ts'
import type { TrainingRows } from '../../../../../src/models/estimator.ts'
import { fitHistogramForest } from '../../../../../src/models/forest/histogram/fit-histogram-forest.ts'
import { outOfBagScore } from '../../../../../src/models/forest/histogram/out-of-bag.ts'
import fixture from '../../../../fixtures/models/forest.json' with { type: 'json' }
import {
  classTarget,
  exampleNames,
  forestOutputs,
  forestParameters,
  forestScore,
  numberTarget,
  oneTree,
  rawExample,
  rawRows,
  takeTrainingRows,
} from '../../../../support/histogram-rows.ts'

// 15 forests of an example take a second, more on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('scores of 100 trees are those of scikit-learn', () => {
  const seeds = [1, 2, 3]

  it.each(exampleNames)('%s: 5-fold cross-validation', (name) => {
    const rows = rawExample(name)
    const { folds, score } = fixture[name]
    const scores = seeds.flatMap((seed) =>
      numbers(5).map((fold) => {
        const training = numbers(rows.rows).filter((row) => folds[row] !== fold)
        const held = numbers(rows.rows).filter((row) => folds[row] === fold)
        const forest = fitHistogramForest(takeTrainingRows(rows, training), forestParameters(), seed)
        return forestScore(forest, takeTrainingRows(rows, held))
      }),
    )
    expect(Math.abs(mean(scores) - score)).toBeLessThan(name === 'diabetes' ? 0.02 : 0.01)
  })

  it.each(exampleNames)('%s: out of bag', (name) => {
    const rows = rawExample(name)
    const scores = seeds.map((seed) => outOfBagScore(fitHistogramForest(rows, forestParameters(), seed), rows, seed)!)
    expect(Math.abs(mean(scores.map(({ score }) => score)) - fixture[name].out_of_bag)).toBeLessThan(0.015)
    expect(scores.every((outOfBag) => outOfBag.rows === rows.rows)).toBe(true)
  })

  it('the score out of bag has nothing of the rows that trees have seen', () => {
    const random = createRandom(3, 'noise')
    const noise = rawRows(
      numbers(400).map(() => [random.next(), random.next()]),
      classTarget(numbers(400).map(() => random.below(2))),
    )
    const forest = fitHistogramForest(noise, forestParameters({ maxDepth: 20 }), 9)
    expect(forestScore(forest, noise)).toBeGreaterThan(0.95)
    expect(Math.abs(outOfBagScore(forest, noise, 9)!.score - 0.5)).toBeLessThan(0.1)
  })
})

describe('the same rows and seed', () => {
  it('give the same forest, another seed another one', () => {
    const rows = rawExample('iris')
    const parameters = forestParameters({ trees: 5 })
    expect(fitHistogramForest(rows, parameters, 3)).toEqual(fitHistogramForest(rows, parameters, 3))
    expect(fitHistogramForest(rows, parameters, 4)).not.toEqual(fitHistogramForest(rows, parameters, 3))
  })

  it('give the first trees of a greater forest', () => {
    const rows = rawExample('iris')
    const few = fitHistogramForest(rows, forestParameters({ trees: 3 }), 3)
    const many = fitHistogramForest(rows, forestParameters({ trees: 6 }), 3)
    expect(many.feature.subarray(0, few.feature.length)).toEqual(few.feature)
    expect(many.threshold.subarray(0, few.threshold.length)).toEqual(few.threshold)
  })
})

describe('missing values', () => {
  const { NaN: missing } = Number
  const outputsOf = (rows: TrainingRows, features: readonly number[]): number[] =>
    forestOutputs(fitHistogramForest(rows, oneTree(), 1), Float64Array.from(features), 0)

  it('go where the training found them to belong, to the left', () => {
    const rows = rawRows([[1], [2], [missing], [8], [9], [missing]], classTarget([0, 0, 0, 1, 1, 0]))
    expect(outputsOf(rows, [missing])).toEqual([1, 0])
  })

  it('go where the training found them to belong, to the right', () => {
    const rows = rawRows([[1], [2], [missing], [8], [9], [missing]], numberTarget([0, 0, 7, 7, 7, 7]))
    expect(outputsOf(rows, [missing])[0]).toBeCloseTo(7, 12)
    expect(outputsOf(rows, [1.9])[0]).toBeCloseTo(0, 12)
  })

  it('are told apart from all numbers where that is what matters', () => {
    const rows = rawRows([[1], [9], [missing], [5], [missing], [7]], classTarget([0, 0, 1, 0, 1, 0]))
    expect(outputsOf(rows, [missing])).toEqual([0, 1])
    expect(outputsOf(rows, [1e30])).toEqual([1, 0])
    expect(outputsOf(rows, [-1e30])).toEqual([1, 0])
  })

  it('are told apart from numbers that float32 does not hold', () => {
    const rows = rawRows([[1], [1e300], [missing], [-1e300], [missing], [7]], classTarget([0, 0, 1, 0, 1, 0]))
    expect(outputsOf(rows, [missing])).toEqual([0, 1])
    for (const value of [1, 1e300, -1e300]) expect(outputsOf(rows, [value])).toEqual([1, 0])
  })

  it('go with most rows at a split that has seen none', () => {
    const rows = rawRows([[1], [2], [3], [8]], classTarget([0, 0, 0, 1]))
    expect(outputsOf(rows, [missing])).toEqual([1, 0])
    const mirrored = rawRows([[-1], [-2], [-3], [-8]], classTarget([0, 0, 0, 1]))
    expect(outputsOf(mirrored, [missing])).toEqual([1, 0])
  })

  it('may fill a whole column', () => {
    const rows = rawRows([[missing], [missing], [missing]], classTarget([0, 0, 1]))
    expect(outputsOf(rows, [missing])).toEqual([2 / 3, 1 / 3])
  })
})

describe('categories', () => {
  // 60 categories, of which every other one has class 1: a set tells it in one split, single categories in 30.
  const random = createRandom(8, 'categories')
  const codes = numbers(3000).map(() => random.below(60))
  const labels = codes.map((code) => (random.next() < 0.05 ? 1 - (code % 2) : code % 2))
  const halves = [numbers(1500), numbers(1500).map((row) => row + 1500)] as const
  const asCategories = rawRows(
    codes.map((code) => [code]),
    classTarget(labels),
    [60],
  )
  const oneHot = rawRows(
    codes.map((code) => numbers(60).map((column) => (column === code ? 1 : 0))),
    classTarget(labels),
  )

  const scoreOf = (rows: TrainingRows, maxDepth: number): number =>
    forestScore(
      fitHistogramForest(takeTrainingRows(rows, halves[0]), forestParameters({ trees: 10, maxDepth }), 1),
      takeTrainingRows(rows, halves[1]),
    )

  it('are split as sets, which does better than a column for each', () => {
    expect(scoreOf(asCategories, 2)).toBeGreaterThan(0.93)
    expect(scoreOf(asCategories, 2)).toBeGreaterThan(scoreOf(oneHot, 2) + 0.1)
  })

  it('of many classes are told apart, one class by each split', () => {
    const rows = rawRows(
      codes.map((code) => [code]),
      classTarget(codes.map((code) => (code * 7) % 5)),
      [60],
    )
    expect(forestScore(fitHistogramForest(rows, oneTree({ maxDepth: 4 }), 1), rows)).toBe(1)
  })

  it('that are unknown go where missing ones go', () => {
    const rows = rawRows([[0], [1], [2], [Number.NaN], [0], [Number.NaN]], classTarget([0, 1, 0, 1, 0, 1]), [3])
    const forest = fitHistogramForest(rows, oneTree(), 1)
    for (const unknown of [3, 40, 255, 256, 1e9, Number.NaN]) {
      expect(forestOutputs(forest, Float64Array.of(unknown), 0)).toEqual([0, 1])
    }
    expect([0, 1, 2].map((code) => forestOutputs(forest, Float64Array.of(code), 0)[1])).toEqual([0, 1, 0])
  })
})

describe('numbers', () => {
  it('that are large beside their spread lose nothing to rounding', () => {
    const values = numbers(50).map((i) => 1e12 + (i < 20 ? 0 : 1))
    const rows = rawRows(
      numbers(50).map((i) => [i]),
      numberTarget(values),
    )
    const forest = fitHistogramForest(rows, oneTree(), 1)
    expect(forest.threshold[0]).toBe(19.5)
    expect(forest.feature.length).toBe(3)
    expect(forestOutputs(forest, Float64Array.of(3), 0)[0]).toBeCloseTo(1e12, 3)
  })
})
