import type { PartitionLoop } from './partition-loop.ts'

export type PartitionPlace = { readonly topic: string; readonly partition: number }

/** The loops of one consumer: those of the partitions that it has, and those that are closed and not through. */
export type PartitionLoops = {
  /**
   * Begins what is new, confirms what stays and closes the rest. A partition that comes back waits for its older loops.
   * @returns how many were closed
   */
  readonly assign: (places: readonly PartitionPlace[]) => number
  /** Closes them. They are the consumer's still, and what they have at hand may be committed. */
  readonly closeAll: () => void
  /** Closes them, and gives up those that are on their way out, except at these places: others may have them. */
  readonly giveUp: (kept?: readonly PartitionPlace[]) => void
  /** Resolves when no loop that is closed has a chunk at hand. */
  readonly settled: () => Promise<void>
  /** Of the partitions that the consumer has. */
  readonly current: () => readonly PartitionLoop[]
  readonly has: (place: PartitionPlace) => boolean
  /** Whether it has the partition, and no older loop of it is still on its way out. */
  readonly hasAlone: (place: PartitionPlace) => boolean
  /** What has been at a step for longer than this. */
  readonly stalled: (forMs: number) => { readonly where: string; readonly ms: number } | null
}

const keyOf = ({ topic, partition }: PartitionPlace): string => `${topic}-${partition}`

/**
 * @param begin makes a loop that begins when `after` has resolved; `givenUp` tells whether others may have its partition
 */
export const createPartitionLoops = (
  begin: (place: PartitionPlace, after: Promise<void>, givenUp: () => boolean) => PartitionLoop,
): PartitionLoops => {
  const loops = new Map<string, PartitionLoop>()
  const leaving = new Map<PartitionLoop, string>()
  const givenUp = new WeakSet<PartitionLoop>()

  const close = (key: string, loop: PartitionLoop): void => {
    loops.delete(key)
    void loop.close()
    leaving.set(loop, key)
    loop.ended.then(() => leaving.delete(loop))
  }

  const closeAll = (): void => {
    for (const [key, loop] of [...loops]) close(key, loop)
  }

  const older = (key: string): PartitionLoop[] => [...leaving].flatMap(([loop, other]) => (other === key ? [loop] : []))

  return {
    assign: (places) => {
      const assigned = new Map(places.map((place) => [keyOf(place), place]))
      let closed = 0
      for (const [key, loop] of [...loops]) {
        if (assigned.has(key)) {
          loop.onConfirmed()
          continue
        }
        givenUp.add(loop)
        close(key, loop)
        closed++
      }
      for (const [key, place] of assigned) {
        if (loops.has(key)) continue
        const after = Promise.all(older(key).map((loop) => loop.ended)).then(() => undefined)
        const loop: PartitionLoop = begin(place, after, () => givenUp.has(loop))
        loops.set(key, loop)
      }
      return closed
    },
    closeAll,
    giveUp: (kept = []) => {
      closeAll()
      const keys = new Set(kept.map(keyOf))
      for (const [loop, key] of leaving) if (!keys.has(key)) givenUp.add(loop)
    },
    settled: async () => {
      await Promise.all(Array.from(leaving.keys(), (loop) => loop.close()))
    },
    current: () => [...loops.values()],
    has: (place) => loops.has(keyOf(place)),
    hasAlone: (place) => loops.has(keyOf(place)) && older(keyOf(place)).length === 0,
    stalled: (forMs) => {
      const now = performance.now()
      const left = Array.from(leaving, ([loop, where]) => [where, loop] as const)
      for (const [where, loop] of [...loops, ...left]) {
        const since = loop.busySince()
        if (since !== null && now - since > forMs) return { where, ms: now - since }
      }
      return null
    },
  }
}
