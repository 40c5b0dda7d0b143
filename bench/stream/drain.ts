import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamWorld, Worker } from './stream-world.ts'

/** How a group got through its topic, seen from outside: by the offsets that it had committed. */
export type Drain = {
  /** From the start of the process to its first commit. */
  readonly firstCommitMs: number
  /** From the start of the process to the last commit. */
  readonly totalMs: number
  /** Between a twentieth and the last event. */
  readonly eventsPerSecond: number
}

const EVERY_MS = 20

/**
 * Lets a worker go through everything that a topic holds, and ends it. The committed offsets are looked at from
 * outside, in the same way whoever works: what a program says of itself is not measured.
 * @param options.enough events after which to stop looking, for a worker that would take too long
 */
export const measureDrain = async (
  world: StreamWorld,
  options: {
    readonly start: () => Worker
    readonly group: string
    readonly events: number
    readonly enough?: number
    readonly timeoutMs?: number
    /** Called when all is done, while the worker still runs. */
    readonly onDone?: () => Promise<void>
  },
): Promise<Drain> => {
  const { group, events, enough = events, timeoutMs = 240_000 } = options
  const topic = world.topics.features.name
  await world.forget(group)
  const startedAt = performance.now()
  const worker = options.start()
  const failed = worker.ready.then(() => new Promise<never>(() => undefined))
  let first: { at: number; done: number } | undefined
  let twentieth: { at: number; done: number } | undefined
  try {
    for (;;) {
      const lag = await Promise.race([world.kafka.admin.consumerLag(group, topic), failed])
      const at = performance.now()
      const done = events - Number([...lag.values()].reduce((sum, records) => sum + records, 0n))
      if (done > 0) first ??= { at, done }
      if (done >= enough / 20) twentieth ??= { at, done }
      if (done >= enough && first !== undefined && twentieth !== undefined) {
        await options.onDone?.()
        return {
          firstCommitMs: first.at - startedAt,
          totalMs: at - startedAt,
          eventsPerSecond: (1000 * (done - twentieth.done)) / (at - twentieth.at),
        }
      }
      if (at - startedAt > timeoutMs) throw new Error(`${group} has done ${done} of ${enough} after ${timeoutMs} ms`)
      await sleep(EVERY_MS)
    }
  } finally {
    await worker.stop()
  }
}
