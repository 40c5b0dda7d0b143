import { randomInt } from 'node:crypto'
import { type Kafka, Partitioners, type Producer } from 'kafkajs'
import type { KafkaCompression } from '../../config/kafka-schema.ts'
import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { chunkBySize } from '../chunking.ts'
import { codecs } from '../compression/codecs.ts'
import { SendFailed } from '../kafka-errors.ts'
import type { KeyedRecord, OutgoingRecord, PlainProducer } from '../kafka-types.ts'
import { wireBytes } from '../record-size.ts'
import { breakConnections } from './connection.ts'
import { isHopeless, orUnavailable } from './protocol-errors.ts'
import { REQUEST_LIMITS, toTopicMessages } from './records.ts'

const PARTITIONS_TTL_MS = 60_000

export type PlainProducerDeps = {
  readonly logger: Logger
  readonly compression: KafkaCompression
  readonly partitionsOf: (topic: string) => Promise<number>
}

type Placed = { topic: string; partition: number; offset: bigint | null }

/**
 * An idempotent producer that waits for all in-sync replicas. The partition is chosen here, once, as Kafka's own
 * clients choose it (murmur2 of the key): kafkajs chooses anew on each retry and may move the record.
 */
export const createPlainProducer = async (
  kafka: Kafka,
  { logger, compression, partitionsOf }: PlainProducerDeps,
): Promise<PlainProducer> => {
  const partitionFor = Partitioners.DefaultPartitioner()
  const counts = new Map<string, { partitions: number; until: number }>()
  let producer: Promise<Producer> | undefined
  let closed = false

  const connected = (): Promise<Producer> => {
    if (producer === undefined) {
      const fresh = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
      })
      fresh.on('producer.network.request_timeout', ({ payload }) => breakConnections(kafka, payload.broker))
      producer = fresh.connect().then(() => fresh)
    }
    return producer
  }

  const drop = (): void => {
    const old = producer
    producer = undefined
    old
      ?.then((p) => p.disconnect())
      .catch((error) => logger.debug(`closing a producer failed: ${describeError(error)}`))
  }

  const partitionCount = async (topic: string): Promise<number> => {
    const known = counts.get(topic)
    if (known !== undefined && known.until > performance.now()) return known.partitions
    const partitions = await partitionsOf(topic)
    counts.set(topic, { partitions, until: performance.now() + PARTITIONS_TTL_MS })
    return partitions
  }

  const place = async (record: KeyedRecord): Promise<OutgoingRecord> => {
    if (record.partition !== undefined) return { ...record, partition: record.partition }
    const count = await partitionCount(record.topic)
    if (record.key === null) return { ...record, partition: randomInt(count) }
    const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }))
    const message = { key: Buffer.from(record.key), value: null }
    return { ...record, partition: partitionFor({ topic: record.topic, partitionMetadata, message }) }
  }

  /** Sends one request and tells where each of its records went. */
  const sendRequest = async (records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const replies = await (await connected()).sendBatch({
      topicMessages: toTopicMessages(records),
      acks: -1,
      compression: codecs[compression],
    })
    const next = new Map<string, bigint>()
    for (const { topicName, partition, baseOffset } of replies) {
      if (baseOffset !== undefined) next.set(`${topicName}-${partition}`, BigInt(baseOffset))
    }
    return records.map(({ topic, partition }) => {
      const key = `${topic}-${partition}`
      const offset = next.get(key)
      // A retry that the broker had already stored is answered without an offset: -1.
      if (offset === undefined || offset < 0n) return { topic, partition, offset: null }
      next.set(key, offset + 1n)
      return { topic, partition, offset }
    })
  }

  await orUnavailable('Kafka cannot be reached', connected())

  return {
    send: async (records) => {
      if (closed) throw new SendFailed('the producer is closed')
      const placed: Placed[] = []
      try {
        const outgoing: OutgoingRecord[] = []
        for (const record of records) outgoing.push(await place(record))
        for (const request of chunkBySize(outgoing, wireBytes, REQUEST_LIMITS))
          placed.push(...(await sendRequest(request)))
        return placed
      } catch (error) {
        // After an error its sequence numbers may be off, and it would fail for ever.
        drop()
        const topics = [...new Set(records.map((record) => record.topic))].join(', ')
        throw new SendFailed(
          `${records.length - placed.length} of ${records.length} records could not be written to ${topics}: ${describeError(error)}`,
          { cause: error, retryable: !isHopeless(error) },
        )
      }
    },
    close: async () => {
      closed = true
      const last = producer
      producer = undefined
      await (await last)?.disconnect()
    },
  }
}
