/** The most that is waited for: a broker that takes longer once is not expected to do so again. */
const MOST_MS = 20
/**
 * By how much the wait shrinks with each transaction that is taken at once, and how fast it goes for a little more than
 * one that is not would have needed: about every seventh is refused then, and the wait follows the broker.
 */
const SHRINK = 0.99
const FOLLOW = 0.3
const MARGIN = 1.2

/**
 * Learns how long after a commit the broker refuses the next transaction of the same producer: it writes the markers
 * of the one before. A transaction that is begun too soon is refused and asked for again and again, which costs the
 * broker as much as the work itself; one that is begun after this wait takes the records along that came meanwhile.
 */
export type CommitPace = {
  /** From the end of a commit to when the next transaction should begin. */
  readonly delayMs: () => number
  /** The next transaction was taken, so long after the end of the commit before (infinite for the first one). */
  readonly taken: (next: { readonly sinceCommitMs: number; readonly refusals: number }) => void
}

export const createCommitPace = (): CommitPace => {
  let delayMs = 0
  return {
    delayMs: () => delayMs,
    taken: ({ sinceCommitMs, refusals }) => {
      // The first one of an owner: what held it up was somebody else's.
      if (!Number.isFinite(sinceCommitMs)) return
      if (refusals > 0) delayMs += FOLLOW * (MARGIN * Math.min(sinceCommitMs, MOST_MS) - delayMs)
      // One that came long after the commit says nothing of how soon it could have come.
      else if (sinceCommitMs < 2 * delayMs + 1) delayMs *= SHRINK
    },
  }
}
