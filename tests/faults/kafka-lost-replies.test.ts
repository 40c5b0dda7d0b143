import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaAdmin, KafkaClient, KeyedRecord, TransactionalProducer } from '../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import { eventually } from '../support/eventually.ts'
import { faultClients } from '../support/fault-clients.ts'
import { text, uniqueName } from '../support/kafka.ts'
import type { Loss } from '../support/kafka-line.ts'
import { createOwnBroker, type OwnBroker } from '../support/own-broker.ts'
import { testLogger } from '../support/test-logger.ts'

// A producer cannot know whether a request that has no answer was done. It asks again, or says what it does not know;
// and the record stands there once.

const TRANSACTION_TIMEOUT_MS = 10_000

let broker: OwnBroker

beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
})
afterAll(() => broker?.close())

const record = (topic: string, value: string) => ({ topic, partition: 0, key: null, value: Buffer.from(value) })

/** The ways to lose one exchange. Where the connection stays, the client waits for its time-out. */
const losses = (apis: readonly Loss['api'][], connections: readonly Loss['connection'][] = ['breaks']): Loss[] =>
  apis.flatMap((api) => [
    { api, what: 'request', connection: 'breaks' } as const,
    ...connections.map((connection) => ({ api, what: 'reply', connection }) as const),
  ])

const named = (loss: Loss) =>
  [`the ${loss.what} of ${loss.api} is lost and its connection ${loss.connection}`, loss] as const

describe.each(faultClients)('with the client %s', (name) => {
  /** kafkajs' requests of a transaction are not repeated: the caller hears of each loss. */
  const asksAgain = name === 'platformatic'
  let client: KafkaClient
  let admin: KafkaAdmin

  beforeEach(async () => {
    client = await createKafkaClient(name, { brokers: [broker.address], clientId: 'faults', logger: testLogger() })
    admin = await client.admin()
  })
  afterEach(() => admin.close())

  const newTopic = async (partitions = 1): Promise<string> => {
    const topic = uniqueName('topic')
    await admin.ensureTopics([{ name: topic, partitions, replicationFactor: 1 }])
    // A leader that has not heard of its topic yet is no loss that a test is about.
    await eventually(() => admin.offsetRanges(topic))
    return topic
  }

  const visible = async (topic: string): Promise<(string | null)[]> => {
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

  /** What is visible once every transaction has ended; a commit is confirmed before it is marked in the partition. */
  const committed = async (topic: string): Promise<(string | null)[]> => {
    await eventually(async () =>
      expect(await admin.offsetRanges(topic)).toEqual(await admin.offsetRanges(topic, 'end')),
    )
    return await visible(topic)
  }

  const open = (transactionalId: string): Promise<TransactionalProducer> =>
    client.transactionalProducer({ transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS })

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

    test.each(losses(['Produce'], ['breaks', 'stays']).map(named))(
      'writes records without a key to the same partition again when %s',
      async (_, loss) => {
        const topic = await newTopic(6)
        const keyless = (...values: string[]): KeyedRecord[] =>
          values.map((value) => ({ topic, key: null, value: Buffer.from(value) }))
        const producer = await client.producer()
        try {
          // Fewer than partitions: what moves on the way comes to one that has not counted it.
          const lost = broker.line.lose(loss)
          await producer.send(keyless('a', 'b', 'c', 'd'))
          await lost
          await producer.send(keyless('e', 'f'))
        } finally {
          await producer.close()
        }
        expect((await committed(topic)).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
      },
    )

    test('writes what was sent before it was closed, and nothing after', async () => {
      const topic = await newTopic()
      const producer = await client.producer()
      const sent = ['a', 'b', 'c'].map((value) => producer.send([record(topic, value)]))
      const closed = producer.close()
      const late = producer.send([record(topic, 'late')])
      await expect(late).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: false })
      await Promise.all([...sent, closed])
      expect(await committed(topic)).toEqual(['a', 'b', 'c'])
    })
  })

  describe('the transactional producer', () => {
    test.each(losses(['AddPartitionsToTxn', 'Produce']).map(named))(
      asksAgain ? 'commits once when %s' : 'says that nothing was written, and can be asked again, when %s',
      async (_, loss) => {
        const topic = await newTopic()
        const producer = await open(uniqueName('id'))
        try {
          await producer.commit([record(topic, 'a')])
          const lost = broker.line.lose(loss)
          const second = producer.commit([record(topic, 'b')])
          if (asksAgain) await second
          else {
            await expect(second).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: true })
            await producer.commit([record(topic, 'b')])
          }
          await lost
          await producer.commit([record(topic, 'c')])
        } finally {
          await producer.close()
        }
        expect(await committed(topic)).toEqual(['a', 'b', 'c'])
      },
    )

    test.each(losses(['EndTxn'], ['breaks', 'stays']).map(named))(
      asksAgain ? 'commits once when %s' : 'says that nobody knows, and can be opened again, when %s',
      async (_, loss) => {
        const topic = await newTopic()
        const id = uniqueName('id')
        let producer = await open(id)
        try {
          await producer.commit([record(topic, 'a')])
          const lost = broker.line.lose(loss)
          const second = producer.commit([record(topic, 'b')])
          if (asksAgain) await second
          else {
            const uncertain = { code: 'COMMIT_UNCERTAIN', retryable: false }
            await expect(second).rejects.toMatchObject(uncertain)
            await expect(producer.commit([record(topic, 'b')])).rejects.toMatchObject(uncertain)
            await producer.close()
            producer = await open(id)
            expect(await committed(topic)).toEqual(loss.what === 'reply' ? ['a', 'b'] : ['a'])
            if (loss.what === 'request') await producer.commit([record(topic, 'b')])
          }
          await lost
          await producer.commit([record(topic, 'c')])
        } finally {
          await producer.close()
        }
        expect(await committed(topic)).toEqual(['a', 'b', 'c'])
      },
    )

    test.each(losses(['InitProducerId']).map(named))(
      asksAgain ? 'opens its id when %s' : 'says that its id cannot be opened now when %s',
      async (_, loss) => {
        const topic = await newTopic()
        const id = uniqueName('id')
        const lost = broker.line.lose(loss)
        if (!asksAgain) await expect(open(id)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true })
        const producer = await open(id)
        await lost
        try {
          await producer.commit([record(topic, 'a')])
        } finally {
          await producer.close()
        }
        expect(await committed(topic)).toEqual(['a'])
      },
    )

    test('is not ended in the middle of a transaction by the end of the one before, which comes late', async () => {
      const topic = await newTopic()
      const id = uniqueName('id')
      let producer = await open(id)
      try {
        await producer.commit([record(topic, 'a')])
        const delayed = broker.line.delay('EndTxn')
        const second = producer.commit([record(topic, 'b')])
        if (asksAgain) await second
        else {
          await expect(second).rejects.toMatchObject({ code: 'COMMIT_UNCERTAIN' })
          await producer.close()
          producer = await open(id)
          await producer.commit([record(topic, 'b')])
        }
        const arrive = await delayed

        // More than one request holds: the late end arrives between the first and the second.
        const value = Buffer.alloc(10_000, 'c')
        const third = Array.from({ length: 250 }, () => ({ ...record(topic, ''), value }))
        const firstStopped = broker.line.stop('Produce')
        const written = producer.commit(third)
        // Where it fails, it does so below; until then nobody listens.
        written.catch(() => undefined)
        const letFirst = await firstStopped
        const secondStopped = broker.line.stop('Produce')
        letFirst()
        const letSecond = await secondStopped
        await arrive()
        expect(await visible(topic)).toEqual(['a', 'b'])
        letSecond()
        await written
        expect(await committed(topic)).toEqual(['a', 'b', ...third.map(() => value.toString())])
      } finally {
        await producer.close()
      }
    })
  })
})
