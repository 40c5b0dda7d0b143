import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { CommittedRecord } from '../../dev/stack/console-consumer.ts'
import { readCommitted } from '../../dev/stack/console-consumer.ts'
import { defaultKafkaClient, type KafkaClientName } from '../../src/config/kafka-schema.ts'
import type { KafkaClientOptions } from '../../src/kafka/client-options.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaAdmin, KafkaClient, PlainProducer, RawRecord, RunningConsumer } from '../../src/kafka/kafka-types.ts'
import { testLogger } from './test-logger.ts'

const required = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

export const kafkaBrokers = (): string[] => required('KAFKA_BROKERS').split(',')
export const schemaRegistryUrl = (): string => required('SCHEMA_REGISTRY_URL')

/** A name that no other test has, so that tests share a broker. */
export const uniqueName = (prefix: string): string => `${prefix}_${randomBytes(5).toString('hex')}`

export type KafkaBench = {
  readonly client: KafkaClient
  readonly admin: KafkaAdmin
  readonly producer: PlainProducer
  /** Makes a topic of this test. */
  readonly topic: (options?: { partitions?: number; config?: Record<string, string> }) => Promise<string>
  /** Stops a consumer at the end of the test, if it still runs then. */
  readonly track: (consumer: RunningConsumer) => RunningConsumer
  readonly close: () => Promise<void>
}

/** The broker is shared and keeps what nobody deletes. */
export const deleteTopics = async (topics: readonly string[]): Promise<void> => {
  if (topics.length === 0) return
  const admin = new Kafka({ clientId: 'test-cleaner', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.deleteTopics({ topics: [...topics] })
  } finally {
    await admin.disconnect()
  }
}

/** A client of that name, or the usual one, for the broker that the tests share. */
export const createTestClient = (
  name: KafkaClientName = defaultKafkaClient,
  options: Partial<KafkaClientOptions> = {},
): Promise<KafkaClient> =>
  createKafkaClient(name, { brokers: kafkaBrokers(), clientId: 'test', logger: testLogger(), ...options })

/** A client with an admin and a producer, and what the test opened, to be closed after it. */
export const createKafkaBench = async (given?: KafkaClient): Promise<KafkaBench> => {
  const client = given ?? (await createTestClient())
  const admin = await client.admin()
  const producer = await client.producer()
  const consumers = new Set<RunningConsumer>()
  const topics: string[] = []
  return {
    client,
    admin,
    producer,
    topic: async ({ partitions = 1, config = {} } = {}) => {
      const name = uniqueName('topic')
      await admin.ensureTopics([{ name, partitions, replicationFactor: 1, config }])
      topics.push(name)
      return name
    },
    track: (consumer) => {
      consumers.add(consumer)
      consumer.done.catch(() => undefined)
      return consumer
    },
    close: async () => {
      await Promise.allSettled([...consumers].map((consumer) => consumer.stop({ deadlineMs: 10_000 })))
      await Promise.allSettled([producer.close(), admin.close()])
      await deleteTopics(topics)
    },
  }
}

/** Everything that is committed on a topic, by Kafka's own reader. */
export const committedRecords = async (
  topic: string,
  brokers: readonly string[] = kafkaBrokers(),
): Promise<CommittedRecord[]> => {
  const records: CommittedRecord[] = []
  await readCommitted({
    brokers: brokers.join(','),
    topic,
    home: resolve('.driftline'),
    onRecord: (record) => records.push(record),
  })
  return records
}

/**
 * Reads a topic with our own client until `enough` says so, and returns values and headers byte for byte.
 * It may hold records of aborted transactions.
 */
export const readRecords = async (
  bench: KafkaBench,
  topic: string,
  enough: (records: readonly RawRecord[]) => boolean,
): Promise<RawRecord[]> => {
  const records: RawRecord[] = []
  const found = Promise.withResolvers<void>()
  const consumer = await bench.client.runAtLeastOnce({
    group: uniqueName('reader'),
    topics: [topic],
    sessionTimeoutMs: 10_000,
    process: async (batch) => {
      records.push(...batch)
      if (enough(records)) found.resolve()
      return true
    },
  })
  try {
    await Promise.race([
      found.promise,
      consumer.done.then(() => {
        throw new Error('the reader ended')
      }),
    ])
    return records
  } finally {
    await consumer.stop()
  }
}

/** A folder of the test's own. */
export const temporaryFolder = async (): Promise<{ path: string; remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'driftline-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('utf8')
