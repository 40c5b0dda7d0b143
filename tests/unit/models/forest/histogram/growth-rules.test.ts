import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goesLeft } from '../../../../../src/models/forest/find-leaf.ts'
import { LEAF } from '../../../../../src/models/forest/flat-forest.ts'
import { drawRows, treeRandom } from '../../../../../src/models/forest/histogram/bootstrap.ts'
import { fitHistogramForest } from '../../../../../src/models/forest/histogram/fit-histogram-forest.ts'
import { settleRules } from '../../../../../src/models/forest/histogram/growth-rules.ts'
import { FitFailed } from '../../../../../src/models/model-errors.ts'
import { classTarget, forestParameters, numberTarget, rawRows } from '../../../../support/histogram-rows.ts'

const rowsArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 3 })), {
    minLength: 5,
    maxLength: 80,
  })
  .chain((cells) =>
    fc.constantFrom('classification', 'regression').map((kind) =>
      rawRows(
        cells.map(([a, b, c]) => [a === 30 ? Number.NaN : a, b, c]),
        kind === 'classification'
          ? classTarget(
              cells.map(([a, b]) => (a + 10 * b > 15 ? 1 : 0)),
              2,
            )
          : numberTarget(cells.map(([a, b]) => a * b)),
        [0, 0, 4],
      ),
    ),
  )

describe('every node of every tree', () => {
  it('keeps to maxDepth, minSamplesSplit and minSamplesLeaf, each row counted once, and holds its cover', () => {
    fc.assert(
      fc.property(
        rowsArbitrary,
        fc.record({
          maxDepth: fc.integer({ min: 1, max: 6 }),
          minSamplesSplit: fc.integer({ min: 2, max: 20 }),
          minSamplesLeaf: fc.integer({ min: 1, max: 8 }),
          bootstrap: fc.boolean(),
        }),
        fc.integer(),
        (rows, changes, seed) => {
          const forest = fitHistogramForest(rows, forestParameters({ ...changes, trees: 3 }), seed)
          const weights = new Int32Array(rows.rows)
          const check = (node: number, drawn: readonly number[], depth: number): void => {
            const weight = drawn.reduce((sum, row) => sum + weights[row]!, 0)
            expect(forest.cover[node]).toBe(weight)
            expect(depth).toBeLessThanOrEqual(changes.maxDepth)
            const column = forest.feature[node]!
            if (column === LEAF) return
            expect(drawn.length).toBeGreaterThanOrEqual(changes.minSamplesSplit)
            const isLeft = (row: number): boolean => goesLeft(forest, node, rows.features[row * rows.columns + column]!)
            for (const [child, side] of [
              [forest.left[node]!, drawn.filter(isLeft)],
              [forest.right[node]!, drawn.filter((row) => !isLeft(row))],
            ] as const) {
              expect(child).toBeGreaterThan(node)
              expect(side.length).toBeGreaterThanOrEqual(changes.minSamplesLeaf)
              check(child, side, depth + 1)
            }
          }
          forest.roots.forEach((root, tree) => {
            drawRows(changes.bootstrap, treeRandom(seed, tree), weights)
            check(
              root,
              [...weights.keys()].filter((row) => weights[row]! > 0),
              0,
            )
          })
        },
      ),
      { seed: 23, numRuns: 150 },
    )
  })
})

describe('rules', () => {
  const target = classTarget([0, 1, 2, 2])

  it('settle the features per split as scikit-learn does', () => {
    type Changes = Parameters<typeof forestParameters>[0]
    const of = (changes: Changes, columns: number, regression = false): number =>
      settleRules(forestParameters(changes), columns, regression ? numberTarget([1, 2]) : target).featuresPerSplit
    expect(of({ maxFeatures: 'sqrt' }, 20)).toBe(4)
    expect(of({ maxFeatures: 'log2' }, 20)).toBe(4)
    expect(of({ maxFeatures: 'log2' }, 1)).toBe(1)
    expect(of({ maxFeatures: 'all' }, 20)).toBe(20)
    expect(of({ maxFeatures: 0.33 }, 20)).toBe(6)
    expect(of({ maxFeatures: 0.01 }, 20)).toBe(1)
    expect(of({ maxFeatures: 'auto' }, 20)).toBe(4)
    expect(of({ maxFeatures: 'auto' }, 20, true)).toBe(20)
  })

  it('settle balanced class weights', () => {
    expect([...settleRules(forestParameters({ classWeight: 'balanced' }), 1, target).classWeights]).toEqual([
      4 / 3,
      4 / 3,
      2 / 3,
    ])
  })

  it('refuse a criterion for the other kind of target', () => {
    expect(() => settleRules(forestParameters({ criterion: 'squared_error' }), 1, target)).toThrow(FitFailed)
    expect(() => settleRules(forestParameters({ criterion: 'gini' }), 1, numberTarget([1]))).toThrow(FitFailed)
  })

  it('refuse rows without features', () => {
    expect(() => settleRules(forestParameters(), 0, target)).toThrow('there are 4 rows of 0 features')
  })
})
