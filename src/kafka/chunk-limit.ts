/**
 * How many records the next chunk may have, from how long the last one took. A chunk that takes a large part of the
 * session time-out is halved: the group would otherwise expel the worker, and the next one would meet the same chunk.
 * @param limit the limit of the last chunk
 * @param elapsedMs what the last chunk took, from its records to its commit
 * @param budgetMs what a chunk may take
 * @param max the configured limit
 */
export const nextChunkLimit = (limit: number, elapsedMs: number, budgetMs: number, max: number): number => {
  if (elapsedMs > budgetMs) return Math.max(1, Math.floor(limit / 2))
  if (elapsedMs < budgetMs / 4) return Math.min(max, limit * 2)
  return limit
}

/**
 * What a transaction may take: what was asked for, but no more than leaves room for a worker that is stopped in the
 * middle of it, before the group expels it or the broker gives the transaction up.
 */
export const transactionBudgetMs = (limits: {
  readonly batchGoalMs: number
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
}): number => Math.min(limits.batchGoalMs, limits.sessionTimeoutMs / 4, limits.transactionTimeoutMs / 2)
