/** A partition that is read, as the plan of a fetch sees it. */
export type FetchCandidate = {
  /** Whether it takes more records now. */
  readonly hungry: boolean
}

export type FetchPlan<C> = {
  readonly asked: readonly C[]
  /** How long the broker may wait for a record. */
  readonly maxWaitMs: number
  /** Most bytes of one partition. */
  readonly partitionMaxBytes: number
}

const LONG_POLL_MS = 500
/** A broker answers one fetch at a time; whoever was left out of this one must not wait long for the next. */
const SHORT_POLL_MS = 15
const PARTITION_MAX_BYTES = 512 << 10
const PARTITION_MIN_BYTES = 64 << 10
/** What all partitions of one consumer may hold together, about. */
const HELD_BYTES = 32 << 20
const QUEUE_MAX_BYTES = 1 << 20

/** A partition is hungry while its queue holds less than this. It may go over it by one reply. */
export const queueLimitBytes = (partitions: number): number =>
  Math.max(PARTITION_MIN_BYTES, Math.min(QUEUE_MAX_BYTES, Math.floor(HELD_BYTES / 2 / Math.max(1, partitions))))

/**
 * What is asked of one broker in the next fetch, or null while nobody there is hungry.
 * @param candidates all partitions that the broker leads
 * @param partitions how many partitions this consumer reads in all
 */
export const planFetch = <C extends FetchCandidate>(
  candidates: readonly C[],
  partitions: number,
): FetchPlan<C> | null => {
  const asked = candidates.filter((candidate) => candidate.hungry)
  if (asked.length === 0) return null
  return {
    asked,
    maxWaitMs: asked.length < candidates.length ? SHORT_POLL_MS : LONG_POLL_MS,
    partitionMaxBytes: Math.min(PARTITION_MAX_BYTES, queueLimitBytes(partitions)),
  }
}

/**
 * The same partitions in the order of the next fetch: a reply has room for some of them only, and is filled from the
 * front, so the front moves on by one.
 */
export const rotated = <C>(candidates: readonly C[], turn: number): C[] => {
  if (candidates.length === 0) return []
  const first = turn % candidates.length
  return [...candidates.slice(first), ...candidates.slice(0, first)]
}
