import { Piscina } from 'piscina'

/** Threads for fits, from their start until they are stopped. */
export type FitThreads = {
  readonly pool: Piscina
  /** Aborted once the threads are stopped, with the reason. */
  readonly stopped: AbortSignal
  /** Ends the threads and rejects what they are doing. */
  readonly stop: (reason: unknown) => Promise<void>
}

/**
 * Starts threads that run `entry`. A thread that dies at work is replaced, and its work is rejected. One that dies
 * without work, mostly at its start, has nobody to tell, and the next would die as well: then all are stopped.
 * @param memoryLimitMb most memory that the objects of one thread may take, in MiB
 */
export const startFitThreads = (entry: URL, threads: number, memoryLimitMb: number): FitThreads => {
  const pool = new Piscina({
    filename: entry.href,
    minThreads: threads,
    maxThreads: threads,
    maxQueue: Number.POSITIVE_INFINITY,
    resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
  })
  const stopping = new AbortController()
  let ended: Promise<void> | undefined
  const stop = (reason: unknown): Promise<void> => {
    ended ??= pool.destroy()
    stopping.abort(reason)
    return ended
  }
  pool.on('error', stop)
  return { pool, stopped: stopping.signal, stop }
}
