import { Connection } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRandom } from '../../src/features/random.ts'
import { type CompressionName, codecs } from '../../src/kafka/compression/codecs.ts'
import type { RecordBatch } from '../../src/kafka/kafka-types.ts'
import { FETCH_VERSIONS, type FetchedPartition, fetchCall } from '../../src/kafka/wire/fetch-protocol.ts'
import { PRODUCE_VERSIONS, produceCall } from '../../src/kafka/wire/produce-protocol.ts'
import { createRecordQueue } from '../../src/kafka/wire/record-queue.ts'
import { createBatchSink } from '../../src/kafka/wire/record-sink.ts'
import type { VersionRange, WireCall } from '../../src/kafka/wire/wire-call.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, createKafkaBench, type KafkaBench, kafkaBrokers, uniqueName } from '../support/kafka.ts'
import { createRawTransactions, type OpenTransaction } from '../support/raw-transactions.ts'

let bench: KafkaBench
let connection: Connection

beforeAll(async () => {
  bench = await createKafkaBench()
  const [host = '', port = ''] = kafkaBrokers()[0]!.split(':')
  connection = new Connection('wire-test')
  await connection.connect(host, Number(port))
})
afterAll(async () => {
  await connection.close()
  await bench.close()
})

const send = <Reply>(call: WireCall<Reply>): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { apiKey, apiVersion, payload, parse, flexible } = call
    connection.send(apiKey, apiVersion, payload, parse, flexible, flexible, (error, reply) =>
      error === null ? resolve(reply as Reply) : reject(error),
    )
  })

const versionsOf = ({ min, max }: VersionRange): number[] => Array.from({ length: max - min + 1 }, (_, i) => min + i)

const fetchFrom = async (
  version: number,
  topic: string,
  offset: bigint,
  maxBytes: number,
): Promise<FetchedPartition> => {
  const reply = await send(
    fetchCall(version, {
      ...{ maxWaitMs: 100, minBytes: 1, maxBytes: 10_000_000, readCommitted: true },
      topics: [{ topic, partitions: [{ partition: 0, offset, maxBytes }] }],
    }),
  )
  expect(reply.errorCode).toBe(0)
  return reply.partitions[0]!
}

const valuesOf = (batch: RecordBatch): string[] =>
  Array.from({ length: batch.length }, (_, i) =>
    batch.bytes.toString('latin1', batch.valueStarts[i]!, batch.valueEnds[i]!),
  )

/** All committed values of partition 0, through replies of about this size. */
const readAll = async (topic: string, end: bigint, maxBytes = 1_000_000, version = FETCH_VERSIONS.max) => {
  const queue = createRecordQueue({ topic, partition: 0, offset: 0n })
  const values: string[] = []
  while (queue.fetchOffset < end) {
    const asked = queue.fetchOffset
    const fetched = await fetchFrom(version, topic, asked, maxBytes)
    expect(fetched.errorCode).toBe(0)
    queue.push(fetched, asked)
    for (let batch = queue.take(50, 20_000); batch !== null; batch = queue.take(50, 20_000)) {
      values.push(...valuesOf(batch))
    }
  }
  expect(queue.nextOffset).toBe(queue.fetchOffset)
  return values
}

test('every version of Produce and Fetch is understood by the broker, and Kafka reads what was written', async () => {
  const topic = await bench.topic()
  const names = Object.keys(codecs) as CompressionName[]
  const expected: string[] = []
  for (const [i, version] of versionsOf(PRODUCE_VERSIONS).entries()) {
    const sink = createBatchSink({ compression: names[i % names.length]! })
    const lane = sink.lane(topic, 0, 'h')
    for (let j = 0; j < 200; j++) {
      const value = Buffer.from(`v${version}-${j}-${'x'.repeat(j)}`)
      lane.append(value, 0, 4, value, 0, value.length - 1, value.length)
      expected.push(`${value.subarray(0, -1)}`)
    }
    for (const batches of sink.finish(null)) {
      const { partitions } = await send(
        produceCall(version, { transactionalId: null, acks: -1, timeoutMs: 5000, batches }),
      )
      expect(partitions).toMatchObject([{ topic, partition: 0, errorCode: 0, baseOffset: BigInt(i * 200) }])
    }
  }
  for (const version of versionsOf(FETCH_VERSIONS)) {
    expect(await readAll(topic, BigInt(expected.length), 1_000_000, version)).toEqual(expected)
  }
  expect((await committedRecords(topic)).map(({ key }) => key)).toEqual(expected.map((value) => value.slice(0, 4)))
})

test('what a broker refuses is a value in the reply', async () => {
  const topic = await bench.topic()
  const sink = createBatchSink()
  sink.add({ topic, partition: 9, key: null, value: Buffer.from('v') })
  const [batches = []] = sink.finish(null)
  const produced = await send(produceCall(11, { transactionalId: null, acks: -1, timeoutMs: 5000, batches }))
  expect(produced.partitions).toMatchObject([{ topic, partition: 9, errorCode: 3, baseOffset: -1n }])
  // A broker that has only just become the leader says so first.
  await eventually(async () => {
    expect(await fetchFrom(12, topic, 77n, 1000)).toMatchObject({ errorCode: 1, records: null })
  })
})

test('of transactions among each other exactly what Kafka itself takes for committed is read', async () => {
  const topic = await bench.topic()
  const random = createRandom(20, 'interleaved transactions')
  const producers = await Promise.all(Array.from({ length: 3 }, () => createRawTransactions(uniqueName('wire'))))
  const open: (OpenTransaction | null)[] = producers.map(() => null)
  try {
    for (let step = 0; step < 120; step++) {
      const who = random.below(producers.length)
      const transaction = open[who] ?? (await producers[who]!.begin())
      open[who] = transaction
      const kind = random.below(5)
      if (kind < 3) {
        await transaction.send(
          topic,
          0,
          ...Array.from({ length: 1 + random.below(3) }, (_, i) => `${step}-${who}-${i}`),
        )
      } else {
        open[who] = null
        await (kind === 3 ? transaction.commit() : transaction.abort())
      }
    }
    await bench.producer.send([{ topic, partition: 0, key: Buffer.from('plain'), value: Buffer.from('plain') }])
    for (const transaction of open) await transaction?.commit()
  } finally {
    await Promise.all(producers.map((producer) => producer.close()))
  }
  const committed = (await committedRecords(topic)).map(({ key }) => key)
  const { to = 0n } = (await bench.admin.offsetRanges(topic)).get(0) ?? {}
  expect(committed.length).toBeGreaterThan(30)
  expect(Number(to)).toBeGreaterThan(committed.length + 30)
  // From a batch at a time, so that transactions span replies, to everything at once.
  for (const maxBytes of [1, 300, 1500, 1_000_000]) expect(await readAll(topic, to, maxBytes)).toEqual(committed)
})
