import { nextChunkLimit } from './chunk-limit.ts'

/** What became of a chunk. */
export type ChunkOutcome = {
  readonly records: number
  /** What the handler took; 0 where it did not come to its end. */
  readonly processMs: number
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

/**
 * A chunk holds what has arrived, up to a limit that adapts. While the worker keeps up a chunk is small anyway; behind
 * a backlog a large one is better for everything that waits, since a commit costs about as much for one record as for
 * thousands. So only what grows with the records makes chunks smaller: the handler, which holds the process meanwhile.
 * The whole of a chunk, its commit included, counts only against the membership of the group.
 * @param options.goalMs what the handler may take for one chunk
 * @param options.safetyMs what a chunk may take in all
 */
export const createChunkSizer = (options: {
  readonly maxRecords: number
  readonly goalMs: number
  readonly safetyMs: number
}): ChunkSizer => {
  const { maxRecords, goalMs, safetyMs } = options
  let limit = Math.min(maxRecords, FIRST_RECORDS)
  return {
    limit: () => limit,
    settled: ({ records, processMs, elapsedMs, committed, waited }) => {
      if (waited) return
      const fitting = Math.min(
        nextChunkLimit(limit, processMs, goalMs, maxRecords),
        nextChunkLimit(limit, elapsedMs, safetyMs, maxRecords),
      )
      // One that failed may have been too slow; one that was not full is no reason to grow.
      limit = committed && records >= limit ? fitting : Math.min(limit, fitting)
    },
  }
}
