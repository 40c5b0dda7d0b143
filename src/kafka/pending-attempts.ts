/** What was handed on for each partition and is not committed yet. */
export type PendingAttempts<T> = {
  /** @param first offset of its first record @param last offset of its last one */
  readonly add: (partition: number, first: number, last: number, attempt: T) => void
  /** The attempt that a commit up to `nextOffset` settled. */
  readonly committed: (partition: number, nextOffset: bigint) => T | undefined
}

type Pending<T> = { readonly first: number; readonly last: number; readonly attempt: T }

/**
 * Finds for a commit the attempt that it belongs to: a batch that did not commit is handed in again, perhaps smaller,
 * and the next batch may be processed while the one before is being committed.
 */
export const createPendingAttempts = <T>(): PendingAttempts<T> => {
  const byPartition = new Map<number, Pending<T>[]>()
  return {
    add: (partition, first, last, attempt) => {
      // Attempts from here on did not commit: these records are tried anew.
      const earlier = (byPartition.get(partition) ?? []).filter((pending) => pending.first < first)
      byPartition.set(partition, [...earlier, { first, last, attempt }])
    },
    committed: (partition, nextOffset) => {
      const pending = byPartition.get(partition) ?? []
      const settled = pending.filter(({ last }) => last < nextOffset)
      byPartition.set(partition, pending.slice(settled.length))
      // What stands before the last one was left by a partition that went to somebody else and came back.
      return settled.at(-1)?.attempt
    },
  }
}
