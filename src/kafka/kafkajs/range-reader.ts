import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { AppError, describeError } from '../../errors.ts'
import { accessDenied } from '../access-denied.ts'
import { backoffMs } from '../backoff.ts'
import { KafkaUnavailable, KafkaUnsuitable, PositionLost } from '../kafka-errors.ts'
import type { RangeReadOptions } from '../kafka-types.ts'
import { createRecordQueue, type RecordQueue } from '../wire/record-queue.ts'
import { type FetchedPartitionRecords, fetchRecords } from './columnar-fetch.ts'
import { breakConnections } from './connection.ts'
import { clusterOf, createErrorFromCode, type InternalCluster } from './internals.ts'
import { EARLIEST, LATEST, listedOffsets } from './listed-offsets.ts'
import { protocolErrorType } from './protocol-errors.ts'

const BATCH_MAX_RECORDS = 5000
const BATCH_MAX_BYTES = 4 << 20
/** Without an answer to any request for so long the read fails. */
const PATIENCE_MS = 15_000
/** Brokers hear of a new topic one after another. */
const NEW_TOPIC_PATIENCE_MS = 2000
const BACKOFF = { firstMs: 50, maxMs: 1000 }

type Part = { readonly partition: number; readonly to: bigint; readonly queue: RecordQueue }

/** Reads of the parts' leaders, each at the same time as the others, and the parts in the order in which they stand. */
const fetchParts = async (
  cluster: InternalCluster,
  topic: string,
  parts: readonly Part[],
): Promise<FetchedPartitionRecords[]> => {
  const leaders = new Map(
    cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader }) => [partitionId, leader]),
  )
  const byLeader = Map.groupBy(parts, ({ partition }) => leaders.get(partition) ?? -1)
  if (byLeader.has(-1)) throw new KafkaUnavailable(`a partition of ${topic} has no leader now, or is not there`)
  const replies = await Promise.all(
    Array.from(byLeader, async ([nodeId, own]) => {
      const broker = await cluster.findBroker({ nodeId })
      const offsets = own.map(({ partition, queue }) => ({ partition, offset: queue.fetchOffset }))
      return fetchRecords(broker, topic, offsets)
    }),
  )
  return replies.flat()
}

/**
 * Reads ranges of a topic without a group. All partitions are fetched at the same time, and handled one batch after
 * another. kafkajs' own reader would let aborted records through.
 * @throws KafkaUnavailable, KafkaUnsuitable, KafkaAccessDenied, PositionLost where a range begins after the log's end, BatchUnreadable,
 * what `process` throws, and the reason of `signal`
 */
export const readRanges = async (kafka: Kafka, options: RangeReadOptions): Promise<void> => {
  const { topic, ranges, process, signal } = options
  const cluster = clusterOf(kafka)
  let failures = 0
  let answeredAtMs = performance.now()

  /** Asks until there is an answer or the patience is over. */
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      signal?.throwIfAborted()
      try {
        await cluster.connect()
        await cluster.addMultipleTargetTopics([topic])
        const answer = await ask()
        failures = 0
        answeredAtMs = performance.now()
        return answer
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof AppError && !error.retryable) throw error
        const what = `${topic} cannot be read: ${describeError(error)}`
        const denied = accessDenied(`${topic} cannot be read`, error)
        if (denied !== undefined) throw denied
        const waitedMs = performance.now() - answeredAtMs
        if (protocolErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' && waitedMs > NEW_TOPIC_PATIENCE_MS) {
          throw new KafkaUnsuitable(`topic ${topic} does not exist; create it first`, { cause: error })
        }
        if (waitedMs > PATIENCE_MS) throw new KafkaUnavailable(what, { cause: error })
        if (protocolErrorType(error) === undefined) breakConnections(kafka)
        await cluster.refreshMetadata().catch(() => undefined)
      }
      const pauseMs = backoffMs(++failures, Math.random(), BACKOFF)
      // It fails when it is cut short; the reason is told at the next turn.
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    }
  }

  /** Goes on where the log begins now, if the records at our place have expired. */
  const moveToStart = async ({ partition, queue }: Part): Promise<void> => {
    const start = (await patiently(() => listedOffsets(cluster, topic, EARLIEST, false))).get(partition)
    const end = (await patiently(() => listedOffsets(cluster, topic, LATEST, false))).get(partition)
    if (end !== undefined && queue.fetchOffset > end) {
      throw new PositionLost(`${topic}-${partition} is to be read from ${queue.fetchOffset} and ends at ${end}`)
    }
    if (start !== undefined && start > queue.fetchOffset) queue.clear(start)
  }

  const receive = async (part: Part, fetched: FetchedPartitionRecords, wasFirst: boolean): Promise<void> => {
    const { queue, to } = part
    if (fetched.errorCode !== 0) {
      const error = createErrorFromCode(fetched.errorCode)
      if (protocolErrorType(error) === 'OFFSET_OUT_OF_RANGE') return moveToStart(part)
      // The metadata may be old; whether there is any progress is for the patience to tell.
      await patiently(async () => {
        await cluster.refreshMetadata()
        const [again] = await fetchParts(cluster, topic, [part])
        if (again === undefined || again.errorCode !== 0) throw error
      })
      return
    }
    queue.push(fetched, queue.fetchOffset)
    for (;;) {
      const batch = queue.take(BATCH_MAX_RECORDS, BATCH_MAX_BYTES, to)
      if (batch === null) break
      await process(batch)
      signal?.throwIfAborted()
    }
    // A broker gives the first partition at least one batch, if there is one: compaction has left none up to there.
    if (fetched.records === null && wasFirst && fetched.lastStableOffset > queue.fetchOffset) {
      queue.clear(fetched.lastStableOffset)
    }
  }

  const stop = (): void => breakConnections(kafka)
  signal?.addEventListener('abort', stop)
  try {
    let parts = Array.from(ranges, ([partition, { from, to }]): Part => {
      return { partition, to, queue: createRecordQueue({ topic, partition, offset: from }) }
    })
    for (;;) {
      parts = parts.filter(({ queue, to }) => queue.fetchOffset < to)
      if (parts.length === 0) return
      const asked = parts
      const replies = await patiently(() => fetchParts(cluster, topic, asked))
      const byPartition = new Map(replies.map((fetched) => [fetched.partition, fetched]))
      for (const [index, part] of asked.entries()) {
        const fetched = byPartition.get(part.partition)
        if (fetched !== undefined) await receive(part, fetched, index === 0)
      }
      // Another is first the next time.
      parts = [...asked.slice(1), ...asked.slice(0, 1)]
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    await cluster.disconnect().catch(() => undefined)
  }
}
