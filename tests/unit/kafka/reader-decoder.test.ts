import { expect, test } from 'vitest'
import type { KeyedRecord, RawRecord } from '../../../src/kafka/kafka-types.ts'
import { createReaderDecoder } from '../../../src/kafka/reader-decoder.ts'
import type { Codec } from '../../../src/kafka/serde-types.ts'

const record = (offset: number, value: string): RawRecord => ({
  topic: 'labels',
  partition: 5,
  offset: BigInt(offset),
  timestamp: 1,
  key: null,
  value: Buffer.from(value),
  headers: {},
})

const codec: Codec<string> = {
  schemaId: 1,
  prepare: async () => undefined,
  decode: (value) =>
    String(value) === '?' ? { ok: false, code: 'BAD_JSON', message: 'odd' } : { ok: true, value: String(value) },
  encode: () => Buffer.alloc(0),
}

const create = (
  options: { send?: (records: readonly KeyedRecord[]) => Promise<never[]>; codec?: Codec<string> } = {},
) => {
  const sent: KeyedRecord[] = []
  const counted: string[] = []
  const decode = createReaderDecoder({
    codec: options.codec ?? codec,
    producer: {
      send:
        options.send ??
        (async (records) => {
          sent.push(...records)
          return []
        }),
      close: async () => undefined,
    },
    deadLetters: { topic: 'dead', partitions: 4 },
    now: () => 7,
    onDeadLetters: (letters) => counted.push(...letters.map(({ reason }) => reason.code)),
  })
  return { decode, sent, counted }
}

test('hands on what it can decode, and writes the rest away first', async () => {
  const { decode, sent, counted } = create()
  const decoded = await decode([record(0, 'a'), record(1, '?'), record(2, 'b')])
  expect(decoded.map(({ value, record: { offset } }) => [value, offset])).toEqual([
    ['a', 0n],
    ['b', 2n],
  ])
  expect(sent).toMatchObject([{ topic: 'dead', partition: 1, headers: { 'driftline.error.offset': '1' } }])
  expect(counted).toEqual(['BAD_JSON'])
})

test('hands on nothing while the dead letters cannot be written', async () => {
  const { decode, counted } = create({ send: () => Promise.reject(new Error('Kafka is down')) })
  await expect(decode([record(0, 'a'), record(1, '?')])).rejects.toThrow('Kafka is down')
  expect(counted).toEqual([])
})

test('writes nothing away while the schema registry is down', async () => {
  const { decode, sent } = create({ codec: { ...codec, prepare: () => Promise.reject(new Error('down')) } })
  await expect(decode([record(0, '?')])).rejects.toThrow('down')
  expect(sent).toEqual([])
})
