import { expect, test } from 'vitest'
import { planFetch, queueLimitBytes, rotated } from '../../../../src/kafka/platformatic/fetch-plan.ts'

const hungry = { hungry: true }
const full = { hungry: false }

test('asks for nothing while nobody is hungry', () => {
  expect(planFetch([full, full], 2)).toBeNull()
  expect(planFetch([], 0)).toBeNull()
})

test('waits long for all, and shortly while one was left out that may become hungry', () => {
  const all = planFetch([hungry, hungry], 2)
  const some = planFetch([hungry, full], 2)
  expect(all?.asked).toHaveLength(2)
  expect(some?.asked).toEqual([hungry])
  expect(some?.maxWaitMs).toBeLessThanOrEqual(20)
  expect(all?.maxWaitMs).toBeGreaterThan(10 * (some?.maxWaitMs ?? 0))
})

test('holds about the same in all, however many partitions there are', () => {
  const heldBytes = (partitions: number): number => {
    const perReply = planFetch([hungry], partitions)?.partitionMaxBytes ?? 0
    return (queueLimitBytes(partitions) + perReply) * partitions
  }
  expect(heldBytes(4)).toBeLessThanOrEqual(8 << 20)
  for (const partitions of [1, 10, 16, 20, 50, 200]) expect(heldBytes(partitions)).toBeLessThanOrEqual(32 << 20)
  expect(heldBytes(700)).toBeLessThanOrEqual(100 << 20)
  // A batch of the usual size has to fit.
  expect(queueLimitBytes(100_000)).toBeGreaterThanOrEqual(64 << 10)
})

test('everybody comes first in turn', () => {
  const first = [0, 1, 2, 3, 4].map((turn) => rotated(['a', 'b', 'c'], turn)[0])
  expect(first).toEqual(['a', 'b', 'c', 'a', 'b'])
  expect(rotated(['a', 'b', 'c'], 5)).toEqual(['c', 'a', 'b'])
  expect(rotated([], 3)).toEqual([])
})
