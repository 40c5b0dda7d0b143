import type { ExactlyOnceOptions } from '../kafka-types.ts'

export type BoundsWatch = {
  /** Everything in the bounds of this partition is committed. */
  readonly reached: (partition: number) => void
  /** Calls back once, when that is so of every partition. */
  readonly whenAllReached: (tell: () => void) => void
  readonly close: () => void
}

const POLL_MS = 500

/**
 * Knows when a bounded job is done: a partition may be worked on by another member of the group, so the committed
 * offsets of those that did not end here are read now and then. Without bounds it never is.
 */
export const createBoundsWatch = (
  bounds: ExactlyOnceOptions['bounds'],
  committed: (partition: number) => Promise<bigint | null>,
): BoundsWatch => {
  const left = new Map(bounds)
  for (const [partition, { from, to }] of left) if (from >= to) left.delete(partition)
  let tell: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const check = (): void => {
    if (left.size > 0 || tell === undefined || closed) return
    closed = true
    clearTimeout(timer)
    tell()
  }

  const poll = async (): Promise<void> => {
    for (const [partition, { to }] of left) {
      // It is asked again soon.
      const offset = await committed(partition).catch(() => null)
      if (offset !== null && offset >= to) left.delete(partition)
      if (closed) return
    }
    check()
    if (!closed) timer = setTimeout(poll, POLL_MS)
  }

  return {
    reached: (partition) => {
      left.delete(partition)
      check()
    },
    whenAllReached: (callback) => {
      if (bounds === undefined) return
      tell = callback
      void poll()
    },
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}
