import { expect, test } from 'vitest'
import { chunkSafetyMs, nextChunkLimit } from '../../../src/kafka/chunk-limit.ts'

test('shrinks to what fits the budget, and grows back', () => {
  const msPerRecord = 10
  const budgetMs = 1500
  let limit = 2000
  for (let i = 0; i < 20; i++) limit = nextChunkLimit(limit, limit * msPerRecord, budgetMs, 2000)
  expect(limit * msPerRecord).toBeLessThanOrEqual(budgetMs)
  expect(limit * msPerRecord).toBeGreaterThan(budgetMs / 4)
  for (let i = 0; i < 20; i++) limit = nextChunkLimit(limit, 1, budgetMs, 2000)
  expect(limit).toBe(2000)
})

test('never falls below one record', () => {
  expect(nextChunkLimit(1, 60_000, 1500, 2000)).toBe(1)
})

test('a chunk leaves room for the session and for the transaction', () => {
  expect(chunkSafetyMs({ sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 })).toBe(1500)
  expect(chunkSafetyMs({ sessionTimeoutMs: 6000, transactionTimeoutMs: 1000 })).toBe(500)
  expect(chunkSafetyMs({ sessionTimeoutMs: 6000 })).toBe(1500)
})
