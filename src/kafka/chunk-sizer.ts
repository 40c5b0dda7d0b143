import { nextChunkLimit } from './chunk-limit.ts'

/** What became of a chunk. */
export type ChunkOutcome = {
  readonly records: number
  /** From its records to its commit. */
  readonly elapsedMs: number
  readonly committed: boolean
  /** It waited for something that is not its own, such as a model. */
  readonly waited: boolean
}

/** Sizes the chunks of one partition by how long the ones before them took. */
export type ChunkSizer = {
  /** Most records of the next chunk. */
  readonly limit: () => number
  readonly settled: (outcome: ChunkOutcome) => void
}

/** The first chunk of a worker is slow, and how slow is not known. */
const FIRST_RECORDS = 512

export const createChunkSizer = (options: { readonly maxRecords: number; readonly budgetMs: number }): ChunkSizer => {
  const { maxRecords, budgetMs } = options
  let limit = Math.min(maxRecords, FIRST_RECORDS)
  return {
    limit: () => limit,
    settled: ({ records, elapsedMs, committed, waited }) => {
      if (waited) return
      const fitting = nextChunkLimit(limit, elapsedMs, budgetMs, maxRecords)
      // One that failed may have been too slow; one that was not full is no reason to grow.
      limit = committed && records >= limit ? fitting : Math.min(limit, fitting)
    },
  }
}
