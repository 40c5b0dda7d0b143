import { expect, it } from 'vitest'
import {
  type ClassDataset,
  countClasses,
  type Dataset,
  DatasetInvalid,
  joinRows,
  type NumberDataset,
  takeRows,
} from '../../../src/features/dataset.ts'
import { digestRows } from '../../../src/features/digest.ts'

const dataset: ClassDataset = {
  kind: 'classification',
  categories: [[], []],
  featureNames: ['x', 'y'],
  classNames: ['a', 'b'],
  rows: 3,
  features: Float64Array.of(1, 2, 3, 4, 5, 6),
  labels: Int32Array.of(0, 1, 1),
}

it('takes rows in the order asked for, also twice', () => {
  const taken = takeRows(dataset, [2, 0, 2])
  expect([...taken.features]).toEqual([5, 6, 1, 2, 5, 6])
  expect([...taken.labels]).toEqual([1, 0, 1])
  expect(taken.rows).toBe(3)
})

it('joins rows, first those of the first', () => {
  const joined = joinRows(takeRows(dataset, [1]), takeRows(dataset, [0, 2]))
  expect([...joined.features]).toEqual([3, 4, 1, 2, 5, 6])
  expect([...joined.labels]).toEqual([1, 0, 1])
})

it('does not join rows whose columns or classes mean something else', () => {
  expect(() => joinRows(dataset, { ...dataset, featureNames: ['y', 'x'] })).toThrow(DatasetInvalid)
  expect(() => joinRows(dataset, { ...dataset, classNames: ['a', 'b', 'c'] })).toThrow(DatasetInvalid)
})

it('counts the rows of each class', () => {
  expect([...countClasses(dataset.labels, 3)]).toEqual([1, 2, 0])
})

it('digests what the rows say: any difference shows, a copy does not', () => {
  const digest = digestRows(dataset)
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(digestRows(takeRows(dataset, [0, 1, 2]))).toBe(digest)
  const others: Dataset[] = [
    takeRows(dataset, [0, 2, 1]),
    { ...dataset, featureNames: ['x', 'z'] },
    { ...dataset, classNames: ['a', 'c'] },
    { ...dataset, features: Float64Array.of(1, 2, 3, 4, 5, 6.0000001) },
    { ...dataset, labels: Int32Array.of(0, 1, 0) },
  ]
  expect(new Set([digest, ...others.map(digestRows)]).size).toBe(others.length + 1)
})

it('digests a part of a larger array as the part alone', () => {
  const wide = Float64Array.of(9, 1, 2, 3, 4, 5, 6, 9)
  expect(digestRows({ ...dataset, features: wide.subarray(1, 7) })).toBe(digestRows(dataset))
})

it('takes and joins rows of numbers, and tells them from rows of classes', () => {
  const numbers: NumberDataset = {
    kind: 'regression',
    featureNames: ['x', 'y'],
    categories: [[], []],
    rows: 3,
    features: dataset.features,
    targets: Float64Array.of(0.5, 1.5, -2),
  }
  expect([...takeRows(numbers, [2, 0]).targets]).toEqual([-2, 0.5])
  expect([...joinRows(takeRows(numbers, [1]), takeRows(numbers, [0])).targets]).toEqual([1.5, 0.5])
  expect(digestRows(numbers)).not.toBe(digestRows(dataset))
  expect(() => joinRows<Dataset>(numbers, dataset)).toThrow(DatasetInvalid)
})
