import type { Batch, EachBatchPayload } from 'kafkajs'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import { createChunkSizer } from '../chunk-sizer.ts'
import { BatchUnreadable, ConsumerFailed, PositionLost } from '../kafka-errors.ts'
import type { ConsumerObserver, RecordBatch } from '../kafka-types.ts'
import { comparePosition, type Gap } from '../position.ts'
import { createRecordQueue } from '../wire/record-queue.ts'
import { fetchedRecordsOf } from './columnar-fetch.ts'
import { isFenced, protocolErrorType, rebalanceError } from './protocol-errors.ts'

/** What is done with the records of one partition. */
export type PartitionWork = {
  /** Makes the partition ready and tells the offset to go on from. Called after each join and after each failure. */
  readonly start: (fetchedOffset: bigint) => Promise<bigint>
  /**
   * Handles records and commits. `nextOffset` is the offset after them. Where it rejects with a retryable AppError
   * nothing was begun, and the same records are handed in again without another start.
   * Returns how long the handler took, ms.
   */
  readonly handle: (batch: RecordBatch, nextOffset: bigint) => Promise<number>
  /** Commits that there is nothing to handle up to `nextOffset`: only traces of transactions lie there. */
  readonly skip: (nextOffset: bigint) => Promise<void>
  /** Lets go of what `start` made ready. Never rejects, never waits for a broker. */
  readonly release: () => void
}

/** What a loop asks of the consumer that it belongs to. */
export type LoopHost = {
  readonly logger: Logger
  readonly topic: string
  readonly partition: number
  readonly chunkMaxRecords: number
  /** What the handler may take for a chunk, and what a chunk may take in all; see `createChunkSizer`. */
  readonly chunkGoalMs: number
  readonly chunkSafetyMs: number
  /** Where reading ends, excluded. */
  readonly endOffset: bigint | undefined
  readonly observer: ConsumerObserver | undefined
  readonly seek: (offset: bigint) => void
  readonly pause: () => void
  readonly resume: () => void
  /** Everything before `endOffset` is committed. The partition is not read on. */
  readonly reachedEnd: () => void
  /** Ends the consumer. */
  readonly fail: (error: Error) => void
}

export type PartitionLoop = {
  readonly onBatch: (payload: EachBatchPayload) => Promise<void>
  /** The group was joined anew: whatever is known of the partition may be out of date. */
  readonly onJoin: (assigned: boolean) => void
  /** The group confirmed the membership. */
  readonly onHeartbeat: () => void
  /** Since when records are at hand without one of them going through, or null. From `performance.now()`. */
  readonly waitingSince: () => number | null
  readonly close: () => void
}

const MAX_FAILURES = 12
const MAX_SEEKS = 5
const BACKOFF = { firstMs: 50, maxMs: 5000 }
/** While something that we wait for is missing (a model, the schema registry) it is asked for this often. */
const WAITING_BACKOFF = { firstMs: 50, maxMs: 1000 }
const WAITS_PER_WARNING = 30
const CHUNK_MAX_BYTES = 4 << 20

/** Tells a failed heartbeat, which is kafkajs' to handle, from a failed step of ours. */
class HeartbeatFailed extends Error {
  constructor(cause: unknown) {
    super('the heartbeat failed', { cause })
  }
}

const appErrorCode = (error: unknown): string | undefined => {
  if (error instanceof AppError) return error.code
  return error instanceof Error && error.cause instanceof AppError ? error.cause.code : undefined
}

const fetchedOffsetOf = (batch: Batch): bigint => BigInt((batch as Batch & { fetchedOffset: string }).fetchedOffset)

/**
 * Handles the batches of one partition one after another, each chunk once, and recovers from failures by starting
 * over from what is committed. Nothing that fails here is thrown to kafkajs, which would stop all partitions for it;
 * except that the group is rebalancing, which kafkajs has to know.
 */
export const createPartitionLoop = (host: LoopHost, work: PartitionWork): PartitionLoop => {
  const { logger, topic, partition, endOffset, observer } = host
  const where = { topic, partition }
  const queue = createRecordQueue({ topic, partition, offset: 0n })

  let position: bigint | null = null
  let gap: Gap | null = null
  let seeks = 0
  const sizer = createChunkSizer({
    maxRecords: host.chunkMaxRecords,
    goalMs: host.chunkGoalMs,
    safetyMs: host.chunkSafetyMs,
  })
  let failures = 0
  let waits = 0
  let joins = 0
  let busy = false
  let busySince: number | null = null
  let resumeTimer: NodeJS.Timeout | undefined
  let holding: 'no' | 'until-timer' | 'until-confirmed' | 'at-end' = 'no'
  let closed = false

  const forget = (): void => {
    position = null
    gap = null
    queue.clear(0n)
    work.release()
  }

  const letGo = (): void => {
    clearTimeout(resumeTimer)
    if (holding === 'no') return
    holding = 'no'
    if (!closed) host.resume()
  }

  const hold = (reason: typeof holding, forMs?: number): void => {
    holding = reason
    host.pause()
    if (forMs !== undefined) resumeTimer = setTimeout(letGo, forMs)
  }

  const recover = (error: unknown): void => {
    const code = protocolErrorType(error) ?? appErrorCode(error) ?? 'UNKNOWN'
    if (error instanceof AppError && error.retryable) {
      waits++
      // It may wait for hours: said at once, and then about twice a minute.
      const level = waits % WAITS_PER_WARNING === 1 ? 'warn' : 'debug'
      logger[level]({ ...where, waits, code }, `partition waits: ${describeError(error)}`)
      if (position === null) forget()
      hold('until-timer', backoffMs(waits, Math.random(), WAITING_BACKOFF))
      return
    }
    forget()
    failures++
    logger.warn({ ...where, failures, code }, `partition starts over: ${describeError(error)}`)
    observer?.aborted?.({ topic, partition, code })
    if (error instanceof BatchUnreadable) {
      // The same bytes would come again.
      host.fail(new ConsumerFailed(describeError(error), { cause: error }))
    } else if (failures >= MAX_FAILURES) {
      host.fail(
        new ConsumerFailed(
          `${topic}-${partition} failed ${failures} times without a record going through: ${describeError(error)}`,
          { cause: error },
        ),
      )
    } else if (isFenced(error)) {
      // Somebody else may own the partition now; fencing them back would only start a fight.
      hold('until-confirmed')
    } else {
      hold('until-timer', backoffMs(failures, Math.random(), BACKOFF))
    }
  }

  /** Whether the batch continues where the partition stands; seeks if not. */
  const continues = (batch: Batch, expected: bigint): boolean => {
    const verdict = comparePosition(expected, fetchedOffsetOf(batch), gap)
    if (verdict.kind === 'accept') {
      gap = null
      seeks = 0
      return true
    }
    if (++seeks > MAX_SEEKS) {
      seeks = 0
      throw new PositionLost(
        `${topic}-${partition} has to go on from offset ${expected}, but reading there leads to offset ${fetchedOffsetOf(batch)}; reset the group's offsets if the topic was made anew`,
      )
    }
    gap = verdict.gap
    host.seek(verdict.offset)
    return false
  }

  /** Whether all is done. What was committed by others may be ahead of the end too. */
  const atEnd = (offset: bigint): boolean => {
    if (endOffset === undefined || offset < endOffset) return false
    forget()
    hold('at-end')
    host.reachedEnd()
    return true
  }

  const receive = (batch: Batch): void => {
    const started = performance.now()
    const from = fetchedOffsetOf(batch)
    const fetched = fetchedRecordsOf(batch)
    queue.clear(from)
    if (fetched !== undefined) queue.push(fetched, from)
    const ms = performance.now() - started
    observer?.fetched?.({ records: queue.records, bytes: fetched?.records?.length ?? 0, ms })
  }

  /** Handles a chunk, and sizes the next one by how long it took: also when it failed, for it may have been too slow. */
  const handleTimed = async (chunk: RecordBatch, next: bigint): Promise<void> => {
    const started = performance.now()
    const records = chunk.length
    let processMs: number | undefined
    let waited = false
    try {
      processMs = await work.handle(chunk, next)
    } catch (error) {
      waited = error instanceof AppError && error.retryable
      throw error
    } finally {
      const elapsedMs = performance.now() - started
      sizer.settled({ records, processMs: processMs ?? 0, elapsedMs, committed: processMs !== undefined, waited })
    }
  }

  const handleBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch, isRunning, isStale, resolveOffset } = payload
    const joined = joins
    const mayGoOn = (): boolean => isRunning() && !isStale() && joins === joined && !closed
    position ??= await work.start(fetchedOffsetOf(batch))
    if (!mayGoOn() || atEnd(position) || !continues(batch, position)) return

    receive(batch)
    while (mayGoOn()) {
      const chunk = queue.take(sizer.limit(), CHUNK_MAX_BYTES, endOffset)
      const next: bigint = queue.nextOffset
      if (chunk !== null) await handleTimed(chunk, next)
      else if (next > position) await work.skip(next)
      else return
      position = next
      failures = 0
      waits = 0
      busySince = performance.now()
      if (joins !== joined) return
      resolveOffset((next - 1n).toString())
      if (atEnd(next)) return
      await payload.heartbeat().catch((cause: unknown) => {
        throw new HeartbeatFailed(cause)
      })
    }
  }

  return {
    onBatch: async (payload) => {
      if (busy || closed || holding !== 'no' || !payload.isRunning() || payload.isStale()) return
      busy = true
      busySince = performance.now()
      const joined = joins
      try {
        await handleBatch(payload)
      } catch (error) {
        if (error instanceof HeartbeatFailed) throw error.cause
        const rebalancing = rebalanceError(error)
        if (rebalancing !== undefined) {
          forget()
          throw rebalancing
        }
        if (joins === joined && !closed) recover(error)
        else logger.debug(where, `left a partition that moved on: ${describeError(error)}`)
      } finally {
        busy = false
        busySince = null
        if (joins !== joined || closed) forget()
      }
    },

    onJoin: (assigned) => {
      joins++
      if (!assigned) failures = 0
      letGo()
      if (!busy) forget()
    },

    onHeartbeat: () => {
      if (holding === 'until-confirmed') letGo()
    },

    waitingSince: () => busySince,

    close: () => {
      closed = true
      clearTimeout(resumeTimer)
      if (!busy) forget()
    },
  }
}
