/** How long nothing was committed, by the fault that was put in last. */
export type ProgressWatch = {
  /** From here on pauses count for this fault. */
  readonly blame: (fault: string) => void
  /** ms by fault */
  readonly longestPauses: () => ReadonlyMap<string, number>
  /** Resolves when something was committed since the call. @throws where that takes longer than `timeoutMs` */
  readonly moves: (timeoutMs: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const LOOK_EVERY_MS = 200

/** @param committed how far the group has come, over all partitions; may reject while nobody can tell */
export const watchProgress = (committed: () => Promise<bigint>): ProgressWatch => {
  const longest = new Map<string, number>()
  let blamed = 'none'
  let stopped = false
  let seen = -1n
  let seenAt = performance.now()

  const look = async (): Promise<void> => {
    const asked = performance.now()
    const now = await committed().catch(() => seen)
    if (now > seen) {
      seen = now
      seenAt = asked
    }
    longest.set(blamed, Math.max(longest.get(blamed) ?? 0, performance.now() - seenAt))
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
  const running = run()

  return {
    blame: (fault) => {
      blamed = fault
    },
    longestPauses: () => longest,
    moves: async (timeoutMs) => {
      const from = seen
      const deadline = performance.now() + timeoutMs
      while (seen <= from) {
        if (performance.now() > deadline) throw new Error(`nothing was committed for ${timeoutMs} ms after ${blamed}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      }
    },
    stop: async () => {
      stopped = true
      await running
    },
  }
}
