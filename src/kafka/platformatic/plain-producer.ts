import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { initProducerIdV3, initProducerIdV4 } from '@platformatic/kafka'
import type { KafkaCompression } from '../../config/kafka-schema.ts'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { chunkBySize } from '../chunking.ts'
import { SendFailed } from '../kafka-errors.ts'
import type { KeyedRecord, OutgoingRecord, PlainProducer } from '../kafka-types.ts'
import { partitionOfKey } from '../murmur2.ts'
import { wireBytes } from '../record-size.ts'
import { type CountingIdentity, countingIdentity } from '../wire/counting-identity.ts'
import type { EncodedBatch } from '../wire/produce-protocol.ts'
import { createBatchSink } from '../wire/record-sink.ts'
import { deliver } from './deliver.ts'
import type { OpenNetwork } from './network.ts'
import { withPatience } from './patience.ts'
import { BrokerRefused } from './protocol-errors.ts'
import { createTurns } from './turns.ts'

export type ProducerDeps = {
  readonly logger: Logger
  readonly compression: KafkaCompression
  readonly openNetwork: OpenNetwork
}

const CONNECT_PATIENCE_MS = 5000
const PATIENCE_MS = 10_000
/** How long one request may be tried before its send fails. */
const DELIVERY_TIMEOUT_MS = 30_000
const CLOSE_PATIENCE_MS = 5000

/** What is encoded at once: one batch, or a few, for each partition. */
export const SEND_LIMITS = { maxItems: 50_000, maxBytes: 8 << 20 } as const

/** What the same bytes will meet again, however often they are sent. */
const HOPELESS: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TOPIC_EXCEPTION',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/** Whether the same send may go through another time, after what stood in its way. */
export const maySendAgain = (error: unknown): boolean => {
  if (error instanceof BrokerRefused) return !HOPELESS.has(error.type)
  return !(error instanceof AppError) || error.retryable
}

type Placed = { topic: string; partition: number; offset: bigint | null }

/** Where each record went, given where the batches of its partition begin. */
const placesOf = (
  records: readonly OutgoingRecord[],
  rounds: readonly (readonly EncodedBatch[])[],
  offsets: ReadonlyMap<EncodedBatch, bigint | null>,
): Placed[] => {
  const byPartition = new Map<string, (bigint | null)[]>()
  for (const batch of rounds.flat()) {
    const key = `${batch.partition} ${batch.topic}`
    const known = byPartition.get(key) ?? []
    byPartition.set(key, known)
    const first = offsets.get(batch) ?? null
    for (let i = 0; i < batch.records; i++) known.push(first === null ? null : first + BigInt(i))
  }
  const next = new Map<string, number>()
  return records.map(({ topic, partition }) => {
    const key = `${partition} ${topic}`
    const index = next.get(key) ?? 0
    next.set(key, index + 1)
    return { topic, partition, offset: byPartition.get(key)?.[index] ?? null }
  })
}

/**
 * An idempotent producer that waits for all in-sync replicas. Sends go out one after another, in the order of the
 * calls. The partition of a record is chosen once, as Kafka's own clients choose it.
 */
export const createPlainProducer = async ({
  logger,
  compression,
  openNetwork,
}: ProducerDeps): Promise<PlainProducer> => {
  const network = openNetwork('produce')
  const { cluster } = network
  const pool = network.pool('write')
  const sink = createBatchSink({ compression })
  const turns = createTurns()
  let identity: CountingIdentity | undefined
  let closed = false

  const identify = async (patienceMs: number): Promise<CountingIdentity> => {
    identity ??= await withPatience('Kafka cannot be reached', patienceMs, () =>
      cluster.askAny(async (link) => {
        const apis = [initProducerIdV4.api, initProducerIdV3.api]
        return countingIdentity(await link.call('InitProducerId 3', apis, null, 0), false)
      }),
    )
    return identity
  }

  const partitionCount = (topic: string): Promise<number> =>
    withPatience(`the partitions of ${topic} are not known`, PATIENCE_MS, async () => {
      const { partitions } = await cluster.topic(topic)
      return partitions.length
    })

  const place = async (record: KeyedRecord): Promise<OutgoingRecord> => {
    if (record.partition !== undefined) return { ...record, partition: record.partition }
    const count = await partitionCount(record.topic)
    return { ...record, partition: record.key === null ? randomInt(count) : partitionOfKey(record.key, count) }
  }

  /** Sends what is encoded at once, and tells where each of its records went. */
  const sendChunk = async (records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const producer = await identify(PATIENCE_MS)
    sink.reset()
    for (const record of records) sink.add(record)
    const rounds = sink.finish(producer)
    const offsets = new Map<EncodedBatch, bigint | null>()
    for (const batches of rounds) {
      const deadlineMs = performance.now() + DELIVERY_TIMEOUT_MS
      const stored = await deliver({ cluster, pool }, batches, { transactionalId: null, deadlineMs })
      producer.advance(batches)
      for (const [batch, offset] of stored) offsets.set(batch, offset)
    }
    return placesOf(records, rounds, offsets)
  }

  const send = async (records: readonly KeyedRecord[]): Promise<Placed[]> => {
    const placed: Placed[] = []
    try {
      const outgoing: OutgoingRecord[] = []
      for (const record of records) outgoing.push(await place(record))
      for (const chunk of chunkBySize(outgoing, wireBytes, SEND_LIMITS)) placed.push(...(await sendChunk(chunk)))
      return placed
    } catch (error) {
      // What the brokers have counted is not known; under a new identity they count from the beginning.
      identity = undefined
      const topics = [...new Set(records.map((record) => record.topic))].join(', ')
      throw new SendFailed(
        `${records.length - placed.length} of ${records.length} records could not be written to ${topics}: ${describeError(error)}`,
        { cause: error, retryable: maySendAgain(error) },
      )
    }
  }

  try {
    await identify(CONNECT_PATIENCE_MS)
  } catch (error) {
    network.close()
    throw error
  }

  return {
    send: async (records) => {
      if (closed) throw new SendFailed('the producer is closed')
      return await turns.take(() => send(records))
    },
    close: async () => {
      closed = true
      const late = new AbortController()
      const deadline = sleep(CLOSE_PATIENCE_MS, 'late', { signal: late.signal }).catch(() => 'in time')
      const ended = await Promise.race([turns.take(async () => 'in time'), deadline])
      late.abort()
      if (ended === 'late') logger.warn('a producer was closed before its last records were written')
      network.close()
    },
  }
}
