import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrainingRows } from '../../../../../src/models/estimator.ts'
import { goesLeft } from '../../../../../src/models/forest/find-leaf.ts'
import { LEAF } from '../../../../../src/models/forest/flat-forest.ts'
import { fitHistogramForest } from '../../../../../src/models/forest/histogram/fit-histogram-forest.ts'
import { classTarget, numberTarget, oneTree, rawRows } from '../../../../support/histogram-rows.ts'

type Criterion = 'gini' | 'entropy' | 'squared_error'

/** Weighted impurity of rows, straight from the definition. */
const impurity = (rows: TrainingRows, of: readonly number[], criterion: Criterion): number => {
  const { target } = rows
  if (target.kind === 'regression') {
    const mean = of.reduce((sum, row) => sum + target.values[row]!, 0) / of.length
    return of.reduce((sum, row) => sum + (target.values[row]! - mean) ** 2, 0)
  }
  let sum = 0
  for (let c = 0; c < target.classes; c++) {
    const share = of.filter((row) => target.labels[row] === c).length / of.length
    if (criterion === 'gini') sum += share * (1 - share)
    else if (share > 0) sum -= share * Math.log(share)
  }
  return of.length * sum
}

/** Every way in which a feature can be split, as the set of values that go left, NaN for missing ones. */
const splitsOf = (rows: TrainingRows, column: number): Set<number>[] => {
  const seen = new Set(Array.from({ length: rows.rows }, (_, row) => rows.features[row * rows.columns + column]!))
  const missing = seen.delete(Number.NaN)
  const values = [...seen].sort((a, b) => a - b)
  const sets: number[][] =
    rows.categories[column]! > 0
      ? Array.from({ length: 2 ** values.length }, (_, bits) => values.filter((_value, i) => (bits >> i) & 1))
      : Array.from({ length: values.length + 1 }, (_, count) => values.slice(0, count))
  return sets.flatMap((set) => (missing ? [new Set(set), new Set([...set, Number.NaN])] : [new Set(set)]))
}

/** The least weighted impurity that any split of any feature comes to, or null where none is allowed. */
const bruteForce = (rows: TrainingRows, criterion: Criterion, minSamplesLeaf: number): number | null => {
  const all = Array.from({ length: rows.rows }, (_, row) => row)
  const results = Array.from({ length: rows.columns }, (_, column) =>
    splitsOf(rows, column).flatMap((set) => {
      const left = all.filter((row) => set.has(rows.features[row * rows.columns + column]!))
      const right = all.filter((row) => !left.includes(row))
      if (left.length < minSamplesLeaf || right.length < minSamplesLeaf) return []
      return [impurity(rows, left, criterion) + impurity(rows, right, criterion)]
    }),
  ).flat()
  return results.length === 0 ? null : Math.min(...results)
}

const checkAgainstBruteForce = (rows: TrainingRows, criterion: Criterion, minSamplesLeaf: number): void => {
  const stump = fitHistogramForest(rows, oneTree({ maxDepth: 1, criterion, minSamplesLeaf }), 1)
  const all = Array.from({ length: rows.rows }, (_, row) => row)
  const before = impurity(rows, all, criterion)
  const best = bruteForce(rows, criterion, minSamplesLeaf)
  const targets = rows.target.kind === 'classification' ? rows.target.labels : rows.target.values
  if (best === null || new Set(targets).size === 1) {
    expect([...stump.feature]).toEqual([LEAF])
    return
  }
  const column = stump.feature[0]!
  expect(column).not.toBe(LEAF)
  const left = all.filter((row) => goesLeft(stump, 0, rows.features[row * rows.columns + column]!))
  const right = all.filter((row) => !left.includes(row))
  expect(Math.min(left.length, right.length)).toBeGreaterThanOrEqual(minSamplesLeaf)
  expect([...stump.cover]).toEqual([rows.rows, left.length, right.length])
  const found = impurity(rows, left, criterion) + impurity(rows, right, criterion)
  expect(found).toBeLessThanOrEqual(best + 1e-9 * (1 + before))
}

/** Rows with ties, missing values and, where asked for, a column of categories with unknown ones among them. */
const rowsOf = (classes: number | null, withCategories: boolean): fc.Arbitrary<TrainingRows> =>
  fc.integer({ min: 2, max: 24 }).chain((count) =>
    fc
      .tuple(
        fc.array(
          fc.tuple(
            fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 9 }) }, fc.constant(Number.NaN)),
            withCategories ? fc.integer({ min: 0, max: 5 }) : fc.double({ min: -1, max: 1, noNaN: true }),
          ),
          { minLength: count, maxLength: count },
        ),
        fc.array(fc.integer({ min: 0, max: classes === null ? 40 : classes - 1 }), {
          minLength: count,
          maxLength: count,
        }),
      )
      .map(([features, targets]) => {
        const target = classes === null ? numberTarget(targets) : classTarget(targets, classes)
        // Of 6 values 5 are categories; the sixth is one that is not known, and stands for missing.
        const known = features.map(([a, b]) => [a, withCategories && b === 5 ? Number.NaN : b])
        return rawRows(known, target, [0, withCategories ? 5 : 0])
      }),
  )

describe('the first split is the best of all', () => {
  it.each([
    ['gini, two classes', 2, false, 'gini'],
    ['gini, four classes', 4, false, 'gini'],
    ['entropy, three classes', 3, false, 'entropy'],
    ['squared error', null, false, 'squared_error'],
    ['gini, two classes, categories', 2, true, 'gini'],
    ['entropy, two classes, categories', 2, true, 'entropy'],
    ['squared error, categories', null, true, 'squared_error'],
  ] as const)('%s', (_, classes, withCategories, criterion) => {
    // Of all sets of categories the best is one that cuts them in order, unless a side must have some number of rows.
    const minSamplesLeaf = withCategories ? fc.constant(1) : fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(rowsOf(classes, withCategories), minSamplesLeaf, (rows, least) => {
        checkAgainstBruteForce(rows, criterion, least)
      }),
      { seed: 17, numRuns: 150 },
    )
  })

  it('cuts midway between the values on both sides', () => {
    const rows = rawRows([[1], [2], [10], [11]], classTarget([0, 0, 1, 1]))
    expect(fitHistogramForest(rows, oneTree(), 1).threshold[0]).toBe(6)
  })

  it('splits classes that no single feature tells apart, though the first split gains nothing', () => {
    const rows = rawRows(
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      classTarget([0, 1, 1, 0]),
    )
    expect([...fitHistogramForest(rows, oneTree(), 1).leaves]).toEqual([1, 0, 0, 1, 0, 1, 1, 0])
  })

  it('draws features until one allows a split', () => {
    // Of 30 features 29 are constant, and each split looks at one.
    const rows = rawRows(
      Array.from({ length: 8 }, (_, row) => Array.from({ length: 30 }, (_value, column) => (column === 17 ? row : 3))),
      classTarget([0, 0, 0, 0, 1, 1, 1, 1]),
    )
    const forest = fitHistogramForest(rows, oneTree({ trees: 20, maxFeatures: 0.01 }), 1)
    expect(Array.from(forest.roots, (root) => forest.feature[root])).toEqual(new Array(20).fill(17))
  })

  it('weighs classes: a rare class decides a leaf where weights are balanced', () => {
    const rows = rawRows(
      Array.from({ length: 40 }, (_, row) => [row % 2]),
      classTarget(Array.from({ length: 40 }, (_, row) => (row === 1 || row === 3 || row === 5 ? 1 : 0))),
    )
    const shareOfRare = (classWeight: 'none' | 'balanced'): number =>
      fitHistogramForest(rows, oneTree({ classWeight }), 1).leaves[3]!
    expect(shareOfRare('none')).toBeCloseTo(3 / 20, 12)
    const rare = 3 * (40 / (2 * 3))
    expect(shareOfRare('balanced')).toBeCloseTo(rare / (rare + 17 * (40 / (2 * 37))), 12)
  })
})
