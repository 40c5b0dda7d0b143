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
 *
 * Each request holds records of one partition, and a partition has one request under way. kafkajs remembers by broker
 * who has answered, also when it tries again after leaders moved: of a request with several partitions some are then
 * written twice, or never and yet confirmed (tulios/kafkajs#1798). And a sequence number that it takes back after a
 * failure may go to another request of that partition, which the broker then takes for a repetition of the first.
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

  /** Sends one request of one partition and tells where each of its records went. */
  const sendRequest = async (records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const [reply] = await (await connected()).sendBatch({
      topicMessages: toTopicMessages(records),
      acks: -1,
      compression: codecs[compression],
    })
    const base = reply?.baseOffset === undefined ? -1n : BigInt(reply.baseOffset)
    return records.map(({ topic, partition }, index) => ({
      topic,
      partition,
      // A retry that the broker had already stored is answered without an offset: -1.
      offset: base < 0n ? null : base + BigInt(index),
    }))
  }

  /** The last send of each partition that is under way; never rejects. */
  const turns = new Map<string, Promise<unknown>>()

  /** Sends records of one partition, after those that were to be sent there before. */
  const sendToPartition = (key: string, records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const run = async (): Promise<Placed[]> => {
      const placed: Placed[] = []
      for (const request of chunkBySize(records, wireBytes, REQUEST_LIMITS))
        placed.push(...(await sendRequest(request)))
      return placed
    }
    const sent = (turns.get(key) ?? Promise.resolve()).then(run)
    const turn = sent
      .catch(() => undefined)
      .then(() => {
        if (turns.get(key) === turn) turns.delete(key)
      })
    turns.set(key, turn)
    return sent
  }

  /** Sends each partition's records by themselves; the places come in the order of the records. */
  const sendPlaced = async (records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const indices = new Map<string, number[]>()
    records.forEach(({ topic, partition }, index) => {
      const key = `${topic}-${partition}`
      const known = indices.get(key)
      if (known === undefined) indices.set(key, [index])
      else known.push(index)
    })
    const placed: Placed[] = new Array(records.length)
    const sends = Array.from(indices, async ([key, own]) => {
      const places = await sendToPartition(
        key,
        own.map((index) => records[index]!),
      )
      own.forEach((index, i) => {
        placed[index] = places[i]!
      })
    })
    // All of them are over before the first failure is told, and with it the producer is given up.
    const failed = (await Promise.allSettled(sends)).find((send) => send.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return placed
  }

  await orUnavailable('Kafka cannot be reached', connected())

  return {
    send: async (records) => {
      if (closed) throw new SendFailed('the producer is closed')
      try {
        const outgoing: OutgoingRecord[] = []
        for (const record of records) outgoing.push(await place(record))
        return await sendPlaced(outgoing)
      } catch (error) {
        // After an error its sequence numbers may be off, and it would fail for ever.
        drop()
        const topics = [...new Set(records.map((record) => record.topic))].join(', ')
        throw new SendFailed(
          `${records.length} records could not all be written to ${topics}: ${describeError(error)}`,
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
