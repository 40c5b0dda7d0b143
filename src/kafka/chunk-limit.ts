/**
 * How many records the next chunk may have, from how long the last one took. One that takes too long is halved; one
 * that takes less than a quarter of its budget makes the next one twice as large.
 * @param limit the limit of the last chunk
 * @param elapsedMs what the last chunk took
 * @param budgetMs what a chunk may take
 * @param max the configured limit
 */
export const nextChunkLimit = (limit: number, elapsedMs: number, budgetMs: number, max: number): number => {
  if (elapsedMs > budgetMs) return Math.max(1, Math.floor(limit / 2))
  if (elapsedMs < budgetMs / 4) return Math.min(max, limit * 2)
  return limit
}

/**
 * What a chunk may take in all: it leaves room for a worker that is stopped in the middle of it, before the group
 * expels it or the broker gives the transaction up.
 */
export const chunkSafetyMs = (limits: {
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs?: number
}): number => Math.min(limits.sessionTimeoutMs / 4, (limits.transactionTimeoutMs ?? Number.POSITIVE_INFINITY) / 2)
