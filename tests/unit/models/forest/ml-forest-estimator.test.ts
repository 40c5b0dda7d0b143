import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClassDataset } from '../../../../src/features/dataset.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { bestClass } from '../../../../src/models/best-class.ts'
import type { TrainingRows } from '../../../../src/models/estimator.ts'
import { openForest } from '../../../../src/models/forest/forest-scorer.ts'
import { packForest } from '../../../../src/models/forest/forest-sections.ts'
import {
  columnMeans,
  compileMlForest,
  createMlForestEstimator,
  fillMissing,
  trainMlForest,
} from '../../../../src/models/forest/ml-forest-estimator.ts'
import { FitFailed } from '../../../../src/models/model-errors.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { candidates, clouds, iris } from '../../../support/training-rows.ts'

const { parameters } = candidates.forest
const SHAPE = { kind: 'classification', columns: 4, outputs: 3 } as const

const rowsOf = ({ features, labels, rows }: ClassDataset): TrainingRows => ({
  ...{ features, rows, columns: 4, categories: new Int32Array(4) },
  target: { kind: 'classification', labels, classes: 3 },
})

/** Some of the values gone, and some of those of the last column made codes of three categories, a few unknown. */
const withGaps = (rows: TrainingRows, seed: number): TrainingRows => {
  const random = createRandom(seed, 'gaps')
  const features = rows.features.map((value, at) => {
    if (random.below(6) === 0) return Number.NaN
    return at % 4 === 3 ? Math.min(3, Math.max(0, Math.round(value))) : value
  })
  return { ...rows, features, categories: Int32Array.of(0, 0, 0, 3) }
}

const others = rowsOf(clouds({ rowsPerClass: 100, classes: 3, columns: 4, distance: 0.7, seed: 4 }))
const cloudRows = rowsOf(clouds({ rowsPerClass: 50, classes: 3, columns: 4, distance: 0.7, seed: 3 }))

describe.each<[string, TrainingRows, TrainingRows]>([
  ['iris', rowsOf(iris()), others],
  ['overlapping clouds', cloudRows, others],
  ['clouds with missing values and categories', withGaps(cloudRows, 1), withGaps(others, 2)],
])('compiled on %s', (_name, rows, asked) => {
  const means = columnMeans(rows)
  const filled = fillMissing(rows, means)
  const engine = trainMlForest(filled, parameters, 5)
  const forest = compileMlForest(engine, filled, means)
  const score = openForest(createSections(packForest(forest)), SHAPE)

  it('a forest gives the shares of its trees’ votes, and the class that most of them vote for', () => {
    for (const block of [rows, asked]) {
      const probabilities = new Float64Array(block.rows * 3)
      // Unknown categories are told apart before a family scores.
      const known = block.features.map((value, at) =>
        block.categories[at % 4] === 3 && value >= 3 ? Number.NaN : value,
      )
      score(known, 0, block.rows, probabilities, 0)
      const { votes, classes } = engine.predict(fillMissing(block, means))
      votes.forEach((row, i) => {
        const shares = [0, 1, 2].map((c) => row.filter((vote) => vote === c).length / row.length)
        expect([...probabilities.slice(i * 3, i * 3 + 3)]).toEqual(shares)
        // Of equally many votes the engine takes the class that had them first, we the first class.
        const tied = shares.filter((share) => share === Math.max(...shares)).length > 1
        if (!tied) expect(bestClass(probabilities, i * 3, 3)).toBe(classes[i])
      })
    }
  })

  it('a value at a threshold of the engine goes right, as in the engine', () => {
    const splits: { column: number; value: number }[] = []
    const collect = (node: (typeof engine.trees)[number], columns: readonly number[]): void => {
      if (node.left === undefined || node.right === undefined) return
      splits.push({ column: columns[node.splitColumn!]!, value: node.splitValue! })
      collect(node.left, columns)
      collect(node.right, columns)
    }
    engine.trees.forEach((tree, i) => {
      collect(tree, engine.columns[i]!)
    })
    const features = Float64Array.from(
      splits.flatMap(({ column, value }) => {
        const row = [...filled.features.subarray(0, 4)]
        row[column] = value
        return row
      }),
    )
    const block = { ...filled, features, rows: splits.length }
    const probabilities = new Float64Array(block.rows * 3)
    score(features, 0, block.rows, probabilities, 0)
    engine.predict(block).votes.forEach((row, i) => {
      const shares = [0, 1, 2].map((c) => row.filter((vote) => vote === c).length / row.length)
      expect([...probabilities.slice(i * 3, i * 3 + 3)]).toEqual(shares)
    })
  })

  it('the cover of a tree’s root is the number of rows, and that of a split the sum of its children’s', () => {
    for (const root of forest.roots) expect(forest.cover[root]).toBe(rows.rows)
    forest.feature.forEach((feature, node) => {
      if (feature < 0) return
      expect(forest.cover[node]).toBe(forest.cover[forest.left[node]!]! + forest.cover[forest.right[node]!]!)
    })
  })
})

describe('rows that the engine cannot take as they are', () => {
  it('get the mean of the known values, or 0 where there are none', () => {
    const rows: TrainingRows = {
      ...{ rows: 3, columns: 3, categories: Int32Array.of(0, 2, 0) },
      features: Float64Array.of(1, 0, Number.NaN, Number.NaN, 1, Number.NaN, 5, 2, Number.NaN),
      target: { kind: 'classification', labels: Int32Array.of(0, 1, 1), classes: 2 },
    }
    const means = columnMeans(rows)
    expect([...means]).toEqual([3, 0.5, 0])
    expect([...fillMissing(rows, means).features]).toEqual([1, 0, 0, 3, 1, 0, 5, 0.5, 0])
  })

  it('are refused where they cannot be added', () => {
    const features = cloudRows.features.map(() => 1e308)
    expect(() => createMlForestEstimator(parameters).fit({ ...cloudRows, features }, 1)).toThrow(FitFailed)
  })
})

it('the same rows and seed give the same arrays, another seed gives others', () => {
  const estimator = createMlForestEstimator(parameters)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
      const first = estimator.fit(cloudRows, seed)
      expect(estimator.fit(cloudRows, seed)).toEqual(first)
      expect(estimator.fit(cloudRows, seed + 1)).not.toEqual(first)
    }),
    { seed: 1, numRuns: 2 },
  )
})
