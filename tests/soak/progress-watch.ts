/** How long a partition went without a commit, by the fault that was put in last. */
export type ProgressWatch = {
  /** From here on pauses count for this fault. */
  readonly blame: (fault: string) => void
  /** ms by fault, of the partition that waited longest */
  readonly longestPauses: () => ReadonlyMap<string, number>
  /** Resolves when every partition has moved since the call. @throws where that takes longer than `timeoutMs` */
  readonly moves: (timeoutMs: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const LOOK_EVERY_MS = 200

/**
 * Watches a load that never pauses: where a partition does not move, its events wait.
 * @param committed offsets by partition; may reject while nobody can tell
 */
export const watchProgress = (committed: () => Promise<ReadonlyMap<number, bigint>>): ProgressWatch => {
  const longest = new Map<string, number>()
  const seen = new Map<number, { offset: bigint; at: number }>()
  let blamed = 'none'
  let stopped = false
  let trouble = ''

  const look = async (): Promise<void> => {
    const asked = performance.now()
    const now = await committed().catch((error: unknown) => {
      trouble = `; the last look failed: ${error instanceof Error ? error.message : String(error)}`
      return new Map<number, bigint>()
    })
    if (now.size > 0) trouble = ''
    for (const [partition, offset] of now) {
      const before = seen.get(partition)
      if (before === undefined || offset > before.offset) seen.set(partition, { offset, at: asked })
    }
    const told = performance.now()
    const pauses = [...seen.values()].map(({ at }) => told - at)
    longest.set(blamed, Math.max(longest.get(blamed) ?? 0, ...pauses))
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
      const called = performance.now()
      const stands = (): number[] =>
        [...seen].filter(([, { offset, at }]) => at < called || offset < 0n).map(([partition]) => partition)
      while (seen.size === 0 || stands().length > 0) {
        if (performance.now() - called > timeoutMs) {
          const which = seen.size === 0 ? 'no partition was' : `partitions ${stands().join(', ')} were not`
          throw new Error(`${which} committed for ${timeoutMs} ms after "${blamed}"${trouble}`)
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      }
    },
    stop: async () => {
      stopped = true
      await running
    },
  }
}
