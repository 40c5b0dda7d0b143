import type { AbortedTransaction } from './fetch-protocol.ts'

/** Says of the batches of one reply, in their order, which belong to a transaction that was aborted. */
export type AbortedFilter = {
  /**
   * To be asked of every batch once.
   * @param isAbortMarker asked where it matters: whether the batch is the control record that ends an aborted one
   */
  readonly isAborted: (
    batch: { readonly lastOffset: number; readonly producerId: bigint; readonly transactional: boolean },
    isAbortMarker: () => boolean,
  ) => boolean
}

const byFirstOffset = (a: AbortedTransaction, b: AbortedTransaction): number =>
  a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0

/**
 * The rule of Kafka's own consumer (clients, CompletedFetch.java): a transaction of the list begins to count at the
 * first batch that reaches its first offset, and ends at its producer's next abort marker. A producer may be on the
 * list several times. Every reply brings a list of its own that is complete for its batches.
 * @returns null where nothing was aborted
 */
export const createAbortedFilter = (aborted: readonly AbortedTransaction[]): AbortedFilter | null => {
  if (aborted.length === 0) return null
  const waiting = [...aborted].sort(byFirstOffset)
  const aborting = new Set<bigint>()
  let next = 0
  return {
    isAborted: ({ lastOffset, producerId, transactional }, isAbortMarker) => {
      for (; next < waiting.length && waiting[next]!.firstOffset <= lastOffset; next++) {
        aborting.add(waiting[next]!.producerId)
      }
      if (!transactional || !aborting.has(producerId)) return false
      if (isAbortMarker()) aborting.delete(producerId)
      return true
    },
  }
}
