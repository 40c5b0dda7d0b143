import { createRequire } from 'node:module'
import { compressionsAlgorithms, createRecordsBatch, Reader, readRecordsBatch } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { codecs } from '../../../../src/kafka/compression/codecs.ts'
import { registerCompression } from '../../../../src/kafka/kafkajs/compression.ts'
import { createBatchSink } from '../../../../src/kafka/wire/record-sink.ts'
import { queueFrom, reply, takeAll } from '../../../support/record-batches.ts'

const require = createRequire(import.meta.url)

type Bytes = Buffer | null
type Encoded = { buffer: Buffer }
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: Record<string, unknown>) => Promise<Encoded>
}
const Record_ = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: Record<string, unknown>) => Encoded
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: unknown) => Promise<{
  records: { offset: string; timestamp: string; key: Bytes; value: Bytes; headers: Record<string, Buffer> }[]
  inTransaction: boolean
  producerId: string
  producerEpoch: number
  firstSequence: number
}>
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown

registerCompression()

const at = 1_700_000_000_000
const messages = Array.from({ length: 300 }, (_, i) => ({
  key: i % 5 === 0 ? null : `key-${i}`,
  value: i % 7 === 0 ? null : `value-${i}-`.repeat(i % 30),
  timestamp: at + (i % 11) * 1000 - (i % 3) * 50,
  headers: i % 2 === 0 ? { trace: `t${i}`, other: 'x'.repeat(i) } : {},
}))
const expected = messages.map(({ key, value, timestamp, headers }, i) => ({
  ...{ offset: i, timestamp, key, value, headers },
}))

describe('kafkajs', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('what it writes with %s is read', async (name) => {
    const records = messages.map(({ timestamp, ...message }, i) =>
      Record_({ ...message, offsetDelta: i, timestampDelta: timestamp - at }),
    )
    const { buffer } = await RecordBatch({
      ...{ compression: codecs[name], firstTimestamp: at, maxTimestamp: at, lastOffsetDelta: messages.length - 1 },
      records,
    })
    const queue = queueFrom()
    expect(reply(queue, [buffer])).toBe(messages.length)
    expect(takeAll(queue)).toEqual(expected)
  })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'it reads what is written with %s',
    async (compression) => {
      const sink = createBatchSink({ compression, now: () => at })
      for (const { key, value, headers } of messages) {
        sink.add({
          ...{ topic: 't', partition: 0, headers },
          ...{ key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value) },
        })
      }
      const batch = sink.finish({
        ...{ producerId: 9n, producerEpoch: 2, transactional: true },
        baseSequenceOf: () => 40,
      })[0]![0]!
      const decoded = await decodeBatch(new Decoder(batch.bytes))
      expect(decoded).toMatchObject({ inTransaction: true, producerId: '9', producerEpoch: 2, firstSequence: 40 })
      const text = (bytes: Bytes) => bytes?.toString() ?? null
      expect(
        decoded.records.map(({ offset, timestamp, key, value, headers }) => ({
          ...{ offset: Number(offset), timestamp: Number(timestamp), key: text(key), value: text(value) },
          headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, `${bytes}`])),
        })),
      ).toEqual(expected.map((record) => ({ ...record, timestamp: at })))
    },
  )
})

describe('@platformatic/kafka', () => {
  const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

  test.each(names)('what it writes with %s is read', (compression) => {
    const written = createRecordsBatch(
      messages.map(({ key, value, timestamp, headers }) => ({
        ...{ topic: 't', partition: 0, timestamp: BigInt(timestamp) },
        ...(key === null ? {} : { key: Buffer.from(key) }),
        value: (value === null ? null : Buffer.from(value)) as Buffer,
        headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
      })),
      compression === 'none' ? {} : { compression },
    )
    const queue = queueFrom()
    expect(reply(queue, [written.buffer])).toBe(messages.length)
    expect(takeAll(queue)).toEqual(expected)
  })

  test.each(names)('it reads what is written with %s', (compression) => {
    const sink = createBatchSink({ compression, now: () => at })
    const lane = sink.lane('t', 0, 'id')
    const values = messages.map(({ value }, i) => `${value ?? ''}abc|${i}`)
    for (const value of values) {
      const bytes = Buffer.from(value)
      lane.append(bytes, 0, 3, bytes, 0, bytes.length - 2, bytes.length)
    }
    const { bytes } = sink.finish(null)[0]![0]!
    expect(compressionsAlgorithms[compression].bitmask).toBe(bytes.readInt16BE(21))
    const { records } = readRecordsBatch(Reader.from(bytes))
    expect(
      records.map(({ key, value, headers }) => [`${key}`, `${value}`, headers.map(([name, id]) => `${name}=${id}`)]),
    ).toEqual(values.map((value) => [value.slice(0, 3), value.slice(0, -2), [`id=${value.slice(-2)}`]]))
  })
})
