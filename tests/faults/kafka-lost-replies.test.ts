import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KafkaAdmin, KafkaClient } from '../../src/kafka/kafka-types.ts'
import { createPlatformaticClient } from '../../src/kafka/platformatic/client.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import { text, uniqueName } from '../support/kafka.ts'
import type { Loss } from '../support/kafka-line.ts'
import { createOwnBroker, type OwnBroker } from '../support/own-broker.ts'
import { testLogger } from '../support/test-logger.ts'

// A producer cannot know whether a request that has no answer was done. It asks again, and the record stands there once.

let broker: OwnBroker
let client: KafkaClient
let admin: KafkaAdmin

beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
  client = createPlatformaticClient({ brokers: [broker.address], clientId: 'faults', logger: testLogger() })
  admin = await client.admin()
})
afterAll(async () => {
  await admin?.close()
  await broker?.close()
})

const newTopic = async (): Promise<string> => {
  const name = uniqueName('topic')
  await admin.ensureTopics([{ name, partitions: 1, replicationFactor: 1 }])
  return name
}

const record = (topic: string, value: string) => ({ topic, partition: 0, key: null, value: Buffer.from(value) })

const committed = async (topic: string): Promise<(string | null)[]> => {
  const values: (string | null)[] = []
  await client.readRanges({
    topic,
    ranges: await admin.offsetRanges(topic),
    process: (batch) => {
      values.push(...recordsOf(batch).map(({ value }) => text(value)))
    },
  })
  return values
}

/** The ways to lose one exchange. Where the connection stays, the client waits for its time-out. */
const losses = (apis: readonly Loss['api'][], connections: readonly Loss['connection'][] = ['breaks']): Loss[] =>
  apis.flatMap((api) => [
    { api, what: 'request', connection: 'breaks' } as const,
    ...connections.map((connection) => ({ api, what: 'reply', connection }) as const),
  ])

const named = (loss: Loss) =>
  [`the ${loss.what} of ${loss.api} is lost and its connection ${loss.connection}`, loss] as const

describe('the plain producer', () => {
  test.each(losses(['Produce'], ['breaks', 'stays']).map(named))('writes a record once when %s', async (_, loss) => {
    const topic = await newTopic()
    const producer = await client.producer()
    try {
      await producer.send([record(topic, 'a')])
      const lost = broker.line.lose(loss)
      const [place] = await producer.send([record(topic, 'b')])
      await lost
      // Java's broker remembers where it put the batch that comes again.
      expect(place?.offset).toBe(1n)
      await producer.send([record(topic, 'c')])
    } finally {
      await producer.close()
    }
    expect(await committed(topic)).toEqual(['a', 'b', 'c'])
  })
})

test('the plain producer writes what was sent before it was closed, and nothing after', async () => {
  const topic = await newTopic()
  const producer = await client.producer()
  const sent = ['a', 'b', 'c'].map((value) => producer.send([record(topic, value)]))
  const closed = producer.close()
  await expect(producer.send([record(topic, 'late')])).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: false })
  await Promise.all([...sent, closed])
  expect(await committed(topic)).toEqual(['a', 'b', 'c'])
})

describe('the transactional producer', () => {
  test.each([...losses(['AddPartitionsToTxn', 'Produce']), ...losses(['EndTxn'], ['breaks', 'stays'])].map(named))(
    'commits once when %s',
    async (_, loss) => {
      const topic = await newTopic()
      const producer = await client.transactionalProducer({
        transactionalId: uniqueName('id'),
        transactionTimeoutMs: 30_000,
      })
      try {
        await producer.commit([record(topic, 'a')])
        const lost = broker.line.lose(loss)
        await producer.commit([record(topic, 'b')])
        await lost
        await producer.commit([record(topic, 'c')])
      } finally {
        await producer.close()
      }
      expect(await committed(topic)).toEqual(['a', 'b', 'c'])
    },
  )

  test.each(losses(['InitProducerId']).map(named))('opens its id when %s', async (_, loss) => {
    const topic = await newTopic()
    const transactionalId = uniqueName('id')
    const lost = broker.line.lose(loss)
    const producer = await client.transactionalProducer({ transactionalId, transactionTimeoutMs: 30_000 })
    await lost
    try {
      await producer.commit([record(topic, 'a')])
    } finally {
      await producer.close()
    }
    expect(await committed(topic)).toEqual(['a'])
  })
})
