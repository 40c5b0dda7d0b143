import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type CommittedRecord, readCommitted } from '../../dev/stack/console-consumer.ts'

const home = resolve('.driftline')
const brokers = inject('servers').KAFKA_BROKERS
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } })
const topics: string[] = []
let admin: Admin
let producer: Producer

beforeAll(async () => {
  admin = kafka.admin()
  await admin.connect()
  producer = kafka.producer({ transactionalId: `console-${randomUUID()}`, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
})
afterAll(async () => {
  await producer.disconnect()
  if (topics.length > 0) await admin.deleteTopics({ topics })
  await admin.disconnect()
})

const createTopic = async (): Promise<string> => {
  const topic = `console-${randomUUID()}`
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2 }] })
  topics.push(topic)
  return topic
}

type Keyed = { key: string | Buffer | null; value: string | null; partition: number; headers?: Record<string, string> }

const inTransaction = async (topic: string, messages: Keyed[], end: 'commit' | 'abort') => {
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages })
  await transaction[end]()
}

const readAll = async (topic: string, timeoutMs = 60_000) => {
  const records: CommittedRecord[] = []
  const result = await readCommitted({ brokers, topic, home, timeoutMs, onRecord: (record) => records.push(record) })
  expect(result.records).toBe(records.length)
  return records
}

test('an empty topic has no records', async () => {
  expect(await readAll(await createTopic())).toEqual([])
})

test('committed records come once, aborted ones never, and the read passes markers at the end of the log', async () => {
  const topic = await createTopic()
  const message = (key: string, partition: number): Keyed => ({
    key,
    value: 'v',
    partition,
    headers: { id: `${key}!` },
  })
  await inTransaction(topic, [message('a', 0), message('b', 1)], 'commit')
  await inTransaction(topic, [message('aborted', 0), message('aborted', 1)], 'abort')
  await inTransaction(topic, [message('c', 0)], 'commit')
  await inTransaction(topic, [message('aborted', 1)], 'abort')
  const records = await readAll(topic)
  // Each transaction ends with a marker in every partition that it wrote to, so offsets have gaps.
  const expected = [
    ...[
      { partition: 0, offset: 0n, key: 'a', headers: { id: 'a!' } },
      { partition: 0, offset: 4n, key: 'c', headers: { id: 'c!' } },
    ],
    { partition: 1, offset: 0n, key: 'b', headers: { id: 'b!' } },
  ]
  expect(records.toSorted((a, b) => a.partition - b.partition)).toEqual(expected)
})

test('keys and headers of any content come back as they were', async () => {
  const topic = await createTopic()
  const keys = [
    '',
    'null',
    'a\u0001b\u0002c\u0003',
    'two\nlines\r',
    'é✓',
    'back\\slash \\x41',
    'key:value,Offset:3',
    null,
  ]
  const messages = keys.map((key): Keyed => ({ key, value: null, partition: 0, headers: { key: String(key) } }))
  await inTransaction(topic, messages, 'commit')
  const records = await readAll(topic)
  expect(records.map(({ key }) => key)).toEqual(keys)
  expect(records.map(({ headers }) => headers['key'])).toEqual(keys.map(String))
})

test('records that come while it reads are left out', async () => {
  const topic = await createTopic()
  const message = (key: string): Keyed => ({ key, value: 'v', partition: 0 })
  await inTransaction(topic, [message('before')], 'commit')
  const seen: unknown[] = []
  let writing = Promise.resolve()
  const { records } = await readCommitted({
    ...{ brokers, topic, home },
    onRecord: ({ key }) => {
      seen.push(key)
      writing = inTransaction(topic, [message('after')], 'commit')
    },
  })
  await writing
  expect({ records, seen }).toEqual({ records: 1, seen: ['before'] })
  expect(await readAll(topic)).toHaveLength(2)
})

test('an open transaction makes the read fail, not come up short', async () => {
  const topic = await createTopic()
  await inTransaction(topic, [{ key: 'a', value: 'v', partition: 0 }], 'commit')
  const open = await producer.transaction()
  await open.send({ topic, messages: [{ key: 'open', value: 'v', partition: 0 }] })
  try {
    const failing = readAll(topic, 6_000)
    await expect(failing).rejects.toMatchObject({ code: 'COMMITTED_READ_FAILED' })
    await expect(failing).rejects.toThrow(/partition 0 stands at \S+ of 3.*transaction/)
  } finally {
    await open.abort()
  }
  expect(await readAll(topic)).toHaveLength(1)
})

test('a topic that does not exist is an error', async () => {
  await expect(readAll(`console-${randomUUID()}`)).rejects.toMatchObject({ code: 'COMMITTED_READ_FAILED' })
})

test('what the caller throws on a record is thrown', async () => {
  const topic = await createTopic()
  await inTransaction(topic, [{ key: 'a', value: 'v', partition: 0 }], 'commit')
  const refusal = new Error('not this one')
  const reading = readCommitted({
    ...{ brokers, topic, home },
    onRecord: () => {
      throw refusal
    },
  })
  await expect(reading).rejects.toBe(refusal)
})

test('a reader that is killed midway is an error, though it has read everything', async () => {
  const topic = await createTopic()
  await inTransaction(topic, [{ key: 'a', value: 'v', partition: 0 }], 'commit')
  const reading = readCommitted({
    ...{ brokers, topic, home },
    onRecord: () => {
      const pids = execFileSync('pgrep', ['-f', topic], { encoding: 'utf8' }).trim().split('\n').map(Number)
      for (const pid of pids) process.kill(pid, 'SIGKILL')
    },
  })
  await expect(reading).rejects.toMatchObject({ code: 'COMMITTED_READ_FAILED' })
})

test('a Java that cannot run Kafka is an error, not an empty result', async () => {
  const topic = await createTopic()
  await inTransaction(topic, [{ key: 'a', value: 'v', partition: 0 }], 'commit')
  // Too little room for Kafka's classes, but enough to tell the version.
  const env = { ...process.env, JDK_JAVA_OPTIONS: '-XX:MaxMetaspaceSize=9m' }
  const failing = readCommitted({ brokers, topic, home, env, timeoutMs: 10_000, onRecord: () => undefined })
  await expect(failing).rejects.toMatchObject({ code: 'COMMITTED_READ_FAILED' })
})
