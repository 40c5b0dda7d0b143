import { expect, test } from 'vitest'
import { nextChunkLimit, transactionBudgetMs } from '../../../src/kafka/chunk-limit.ts'

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

test('a transaction may take what was asked for, and no more than sessions and transactions leave', () => {
  const limits = { batchGoalMs: 200, sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 }
  expect(transactionBudgetMs(limits)).toBe(200)
  expect(transactionBudgetMs({ ...limits, batchGoalMs: 60_000 })).toBe(1500)
  expect(transactionBudgetMs({ ...limits, batchGoalMs: 60_000, transactionTimeoutMs: 1000 })).toBe(500)
})
