import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { NumberDataset } from '../../../src/features/dataset.ts'
import { strataOf } from '../../../src/features/strata.ts'
import { clouds } from '../../support/training-rows.ts'

const numbers = (targets: readonly number[]): NumberDataset => ({
  kind: 'regression',
  featureNames: ['x'],
  categories: [[]],
  rows: targets.length,
  features: new Float64Array(targets.length),
  targets: Float64Array.from(targets),
})

it('the strata of classes are the classes', () => {
  const dataset = clouds({ rowsPerClass: 3, classes: 4, columns: 1, distance: 1, seed: 1 })
  expect(strataOf(dataset, 5)).toEqual({ labels: dataset.labels, count: 4 })
})

it('the strata of numbers are runs of like targets, the last with what is left over', () => {
  expect([...strataOf(numbers([5, 1, 4, 2, 3, 9, 8]), 3).labels]).toEqual([1, 0, 1, 0, 0, 1, 1])
  expect(strataOf(numbers([5, 1]), 10)).toEqual({ labels: Int32Array.of(0, 0), count: 1 })
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 12 }),
      (targets, size) => {
        const { labels, count } = strataOf(numbers(targets), size)
        const sizes = new Array<number>(count).fill(0)
        for (const label of labels) sizes[label]!++
        expect(sizes.slice(0, -1).every((rows) => rows === size)).toBe(true)
        expect(sizes.at(-1)).toBeLessThan(2 * size)
        for (const [row, target] of targets.entries()) {
          for (const [other, greater] of targets.entries()) {
            if (target < greater) expect(labels[row]!).toBeLessThanOrEqual(labels[other]!)
          }
        }
      },
    ),
    { seed: 2, numRuns: 60 },
  )
})
