import { expect, test } from 'vitest'
import { createChunkSizer } from '../../../src/kafka/chunk-sizer.ts'

const options = { maxRecords: 2000, goalMs: 50, safetyMs: 1500 }

/** Full chunks, one after another, each with these costs. */
const settle = (
  sizer: ReturnType<typeof createChunkSizer>,
  cost: { msPerRecord: number; commitMs: number },
  chunks = 30,
): void => {
  for (let i = 0; i < chunks; i++) {
    const records = sizer.limit()
    const processMs = records * cost.msPerRecord
    sizer.settled({ records, processMs, elapsedMs: processMs + cost.commitMs, committed: true, waited: false })
  }
}

test('a backlog is gone through in chunks as large as allowed, however slow commits are', () => {
  const sizer = createChunkSizer(options)
  settle(sizer, { msPerRecord: 0.001, commitMs: 300 })
  expect(sizer.limit()).toBe(2000)
})

test('a slow handler gets fewer records, and more again when it is quick', () => {
  const sizer = createChunkSizer(options)
  settle(sizer, { msPerRecord: 1, commitMs: 5 })
  expect(sizer.limit()).toBeLessThanOrEqual(50)
  expect(sizer.limit()).toBeGreaterThan(12)
  settle(sizer, { msPerRecord: 0.001, commitMs: 5 })
  expect(sizer.limit()).toBe(2000)
})

test('a chunk that endangers the membership makes smaller ones, also when it failed', () => {
  const sizer = createChunkSizer(options)
  const before = sizer.limit()
  sizer.settled({ records: before, processMs: 0, elapsedMs: 4000, committed: false, waited: false })
  expect(sizer.limit()).toBe(before / 2)
})

test('waiting for a model says nothing of the size, nor does a chunk that was not full', () => {
  const sizer = createChunkSizer(options)
  const before = sizer.limit()
  sizer.settled({ records: before, processMs: 60_000, elapsedMs: 60_000, committed: true, waited: true })
  sizer.settled({ records: 1, processMs: 0.01, elapsedMs: 4, committed: true, waited: false })
  expect(sizer.limit()).toBe(before)
})
