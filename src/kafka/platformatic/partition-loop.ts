import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import { createChunkSizer } from '../chunk-sizer.ts'
import { ConsumerFailed } from '../kafka-errors.ts'
import type { ConsumerObserver, RecordBatch } from '../kafka-types.ts'
import { createRecordQueue } from '../wire/record-queue.ts'
import type { Fetcher, FetchSource } from './fetcher.ts'
import type { Committed, PartitionWork } from './partition-work.ts'
import { protocolErrorType } from './protocol-errors.ts'
import { type PartitionPhase, recoveryFrom } from './recovery.ts'
import { createWait, type Wait } from './wait.ts'

/** What a loop asks of the consumer that it belongs to. */
export type LoopHost = {
  readonly logger: Logger
  readonly topic: string
  readonly partition: number
  readonly fetcher: Fetcher
  readonly chunkMaxRecords: number
  /** What the handler may take for a chunk, and what a chunk may take in all; see `createChunkSizer`. */
  readonly chunkGoalMs: number
  readonly chunkSafetyMs: number
  /** Reading ends here, excluded. */
  readonly endOffset: bigint | undefined
  readonly observer: ConsumerObserver | undefined
  /** A batch did not go through. `commitError`: what its commit failed with, which it may have in common with others. */
  readonly aborted: (batch: { topic: string; partition: number; code: string }, commitError: unknown) => void
  /** Everything up to the end offset is committed. */
  readonly onFinished: () => void
  /** The membership is in doubt: something was refused because of it. */
  readonly doubt: () => void
  /** Ends the consumer. */
  readonly fail: (error: Error) => void
}

export type PartitionLoop = {
  /** The group confirmed the membership. */
  readonly onConfirmed: () => void
  /** No chunk is begun until the membership is confirmed. */
  readonly hold: () => void
  /** Since when the loop is at a step that has not ended, or null. From `performance.now()`. */
  readonly busySince: () => number | null
  /** Begins nothing any more. Resolves when the chunk at hand is through; waits for nothing else that is under way. */
  readonly close: () => Promise<void>
  /** Resolves when a closed loop is through. */
  readonly ended: Promise<void>
}

const MAX_FAILURES = 12
const BACKOFF = { firstMs: 50, maxMs: 5000 }
/** While something that we wait for is missing (a model, the schema registry, a broker) it is asked for this often. */
const WAITING_BACKOFF = { firstMs: 50, maxMs: 1000 }
const WAITS_PER_WARNING = 30
const CHUNK_MAX_BYTES = 4 << 20
/** Offsets behind control records and aborted ones are committed once nothing else has come for this long. */
const IDLE_COMMIT_MS = 200
/** A timer takes a millisecond at least. */
const SHORTEST_REST_MS = 0.5
const UNCONFIRMED_MS = 1000
const IDLE_MS = 60_000

/**
 * Handles the records of one partition, one chunk after another, each in a transaction (or with a commit) of its own,
 * and recovers from failures by starting over from what is committed. Loops know nothing of each other: one that waits
 * for a broker leaves the process to the others.
 */
export const createPartitionLoop = (host: LoopHost, work: PartitionWork, after: Promise<void>): PartitionLoop => {
  const { logger, topic, partition, fetcher, endOffset, observer } = host
  const where = { topic, partition }
  const queue = createRecordQueue({ topic, partition, offset: 0n })
  /** For records. */
  const arrival = createWait()
  /** After a failure; records that arrive do not end it. */
  const rest = createWait()
  const sizer = createChunkSizer({
    maxRecords: host.chunkMaxRecords,
    goalMs: host.chunkGoalMs,
    safetyMs: host.chunkSafetyMs,
  })
  const ended = Promise.withResolvers<void>()

  /** The next offset to process; null while it has to be asked for. */
  let position: bigint | null = null
  let phase: PartitionPhase = 'start'
  let refused: Error | null = null
  let failures = 0
  let waits = 0
  let busySince: number | null = null
  let confirmed = true
  let held = false
  let finished = false
  let closed = false

  const source: FetchSource = {
    topic,
    partition,
    queue,
    wanted: () => position !== null && refused === null && !closed,
    onProgress: arrival.wake,
    onRefused: (error) => {
      refused = error
      arrival.wake()
    },
  }

  const idle = async (wait: Wait, ms: number): Promise<void> => {
    busySince = null
    if (!closed) await wait.for(ms)
  }

  /** The whole of it, unless the loop is closed. */
  const backOff = async (ms: number): Promise<void> => {
    const end = performance.now() + ms
    for (let left = ms; left > 0 && !closed; left = end - performance.now()) await idle(rest, left)
  }

  const enter = (next: PartitionPhase): void => {
    phase = next
    busySince = performance.now()
  }

  const goOnAt = (offset: bigint): void => {
    position = offset
    refused = null
    queue.clear(offset)
    fetcher.wake()
  }

  const begin = async (): Promise<void> => {
    enter('start')
    const offset = await work.start()
    if (!closed) goOnAt(offset)
  }

  /** The broker does not have the position. */
  const reposition = async (from: bigint, reason: Error): Promise<void> => {
    enter('read')
    if (protocolErrorType(reason) !== 'OFFSET_OUT_OF_RANGE') throw reason
    const start = await work.logStart(from)
    logger.error({ ...where, from, to: start }, 'records expired before they were read')
    goOnAt(start)
  }

  /** Processes, again and again while something that it needs is missing. False if that ended with the loop. */
  const process = async (batch: RecordBatch): Promise<boolean> => {
    while (!closed) {
      try {
        enter('process')
        await work.process(batch)
        return true
      } catch (error) {
        if (recoveryFrom('process', error).kind !== 'wait') throw error
        await waitFor(error)
      }
    }
    return false
  }

  const commit = async (nextOffset: bigint): Promise<Committed> => {
    enter('commit')
    const committed = await work.commit(nextOffset)
    position = nextOffset
    failures = 0
    return committed
  }

  const handle = async (batch: RecordBatch): Promise<void> => {
    const began = performance.now()
    const records = batch.length
    const waitsBefore = waits
    let committed = false
    let processMs = 0
    try {
      if (!(await process(batch))) return
      const processed = performance.now()
      processMs = processed - began
      const reached = queue.nextOffset
      const nextOffset = endOffset !== undefined && reached > endOffset ? endOffset : reached
      const { records: outputs, transactions } = await commit(nextOffset)
      committed = true
      const commitMs = performance.now() - processed
      observer?.committed?.({ ...where, records, outputs, transactions, nextOffset, processMs, commitMs })
    } finally {
      const elapsedMs = performance.now() - began
      sizer.settled({ records, processMs, elapsedMs, committed, waited: waits > waitsBefore })
      if (committed) waits = 0
    }
  }

  const finish = (): void => {
    finished = true
    fetcher.remove(source)
    host.onFinished()
  }

  const step = async (from: bigint): Promise<void> => {
    if (finished || held) return await idle(rest, IDLE_MS)
    if (endOffset !== undefined && from >= endOffset) return finish()
    const restMs = work.restMs(queue.records, rest.wake)
    // What comes meanwhile joins the chunk. A full one gains nothing by it, and is processed in that time.
    if (restMs > SHORTEST_REST_MS && queue.records < sizer.limit()) return await idle(rest, restMs)
    enter('read')
    const batch = queue.take(sizer.limit(), CHUNK_MAX_BYTES, endOffset)
    if (batch !== null) {
      fetcher.wake()
      return await handle(batch)
    }
    if (refused !== null) return await reposition(from, refused)
    const reached = queue.nextOffset
    if (endOffset !== undefined && (queue.records > 0 || reached >= endOffset)) return void (await commit(endOffset))
    if (reached === from || !work.mayCommitIdle()) return await idle(arrival, IDLE_MS)
    const since = performance.now()
    while (!closed && performance.now() - since < IDLE_COMMIT_MS) {
      await idle(arrival, IDLE_COMMIT_MS)
      if (queue.records > 0 || queue.broken !== null || refused !== null) return
    }
    if (!closed) await commit(queue.nextOffset)
  }

  const waitFor = async (error: unknown): Promise<void> => {
    waits++
    const code = error instanceof AppError ? error.code : protocolErrorType(error)
    // It may wait for hours: said at once, and then about twice a minute.
    const level = waits % WAITS_PER_WARNING === 1 ? 'warn' : 'debug'
    logger[level]({ ...where, waits, code }, `partition waits: ${describeError(error)}`)
    await backOff(backoffMs(waits, Math.random(), WAITING_BACKOFF))
  }

  const forget = (): void => {
    position = null
    refused = null
    queue.clear(0n)
    work.release()
  }

  const recover = async (error: unknown): Promise<void> => {
    const { kind, counts } = recoveryFrom(phase, error)
    const code = protocolErrorType(error) ?? (error instanceof AppError ? error.code : 'UNKNOWN')
    if (phase === 'process' || phase === 'commit') host.aborted({ ...where, code }, phase === 'commit' ? error : null)
    forget()
    if (kind === 'wait') return await waitFor(error)
    if (counts) failures++
    logger.warn({ ...where, failures, code }, `partition starts over: ${describeError(error)}`)
    if (failures >= MAX_FAILURES) {
      closed = true
      const what = `${topic}-${partition} failed ${failures} times without a record going through`
      host.fail(new ConsumerFailed(`${what}: ${describeError(error)}`, { cause: error }))
      return
    }
    if (kind === 'restart') return await backOff(backoffMs(failures, Math.random(), BACKOFF))
    confirmed = false
    host.doubt()
    while (!confirmed && !closed) await idle(rest, UNCONFIRMED_MS)
  }

  const run = async (): Promise<void> => {
    await after
    fetcher.add(source)
    while (!closed) {
      try {
        if (position === null) await begin()
        else await step(position)
      } catch (error) {
        if (closed) logger.debug(where, `left a partition: ${describeError(error)}`)
        else await recover(error)
      }
    }
  }

  run()
    .catch((error) => host.fail(new ConsumerFailed(`${topic}-${partition}: ${describeError(error)}`, { cause: error })))
    .finally(() => {
      busySince = null
      fetcher.remove(source)
      forget()
      ended.resolve()
    })

  return {
    onConfirmed: () => {
      if (!confirmed || held) rest.wake()
      confirmed = true
      held = false
    },
    hold: () => {
      held = true
    },
    busySince: () => busySince,
    close: async () => {
      closed = true
      arrival.wake()
      rest.wake()
      if (phase === 'process' || phase === 'commit') await ended.promise
    },
    ended: ended.promise,
  }
}
