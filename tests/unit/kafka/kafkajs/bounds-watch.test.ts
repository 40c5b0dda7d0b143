import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBoundsWatch } from '../../../../src/kafka/kafkajs/bounds-watch.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const bounds = new Map([
  [0, { from: 0n, to: 10n }],
  [1, { from: 5n, to: 20n }],
  [2, { from: 7n, to: 7n }],
])

/** A watch over what a group has committed, by partition. */
const createBed = (committed: Record<number, bigint | Error>, given: typeof bounds | undefined = bounds) => {
  const asked: number[] = []
  let told = 0
  const watch = createBoundsWatch(given, async (partition) => {
    asked.push(partition)
    const found = committed[partition] ?? null
    if (found instanceof Error) throw found
    return found
  })
  watch.whenAllReached(() => {
    told++
  })
  return { watch, asked, told: () => told }
}

test('tells once, when every partition is done here', async () => {
  const bed = createBed({})
  await vi.advanceTimersByTimeAsync(0)
  bed.watch.reached(0)
  bed.watch.reached(0)
  expect(bed.told()).toBe(0)
  bed.watch.reached(1)
  expect(bed.told()).toBe(1)
  bed.watch.reached(1)
  await vi.advanceTimersByTimeAsync(5000)
  expect(bed.told()).toBe(1)
})

test('looks for what others have done, over failures', async () => {
  const committed: Record<number, bigint | Error> = { 0: 9n, 1: new Error('no broker') }
  const bed = createBed(committed)
  await vi.advanceTimersByTimeAsync(1000)
  expect(bed.told()).toBe(0)
  expect(bed.asked).not.toContain(2)
  committed[0] = 10n
  committed[1] = 25n
  await vi.advanceTimersByTimeAsync(500)
  expect(bed.told()).toBe(1)
})

test('asks no more once it is closed, and never without bounds', async () => {
  const closed = createBed({ 0: 10n, 1: 20n })
  closed.watch.close()
  const unbounded = createBed({}, new Map(undefined))
  await vi.advanceTimersByTimeAsync(5000)
  expect(closed.told()).toBe(0)
  expect(unbounded.asked).toEqual([])
})
