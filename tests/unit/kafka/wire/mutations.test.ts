import { jsCRC32C } from '@platformatic/kafka'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CompressionName, codecs } from '../../../../src/kafka/compression/codecs.ts'
import { BatchUnreadable } from '../../../../src/kafka/kafka-errors.ts'
import { recordsOf } from '../../../../src/kafka/record-batch.ts'
import { queueFrom, writtenBatch } from '../../../support/record-batches.ts'

const records = Array.from({ length: 40 }, (_, i) => ({
  ...{ offset: i, timestamp: 1_700_000_000_000 + i * 7, key: i % 3 === 0 ? null : `key-${i}` },
  ...{ value: `value-${i}-`.repeat(i % 12), headers: i % 4 === 0 ? [['name', `h${i}`] as const] : [] },
}))

const batches = (codec: number): Buffer =>
  Buffer.concat([
    writtenBatch({ records: records.slice(0, 25), codec }),
    writtenBatch({ records: records.slice(25), codec, transactional: true, producerId: 5n }),
  ])

/** The first batch with a checksum that fits what it holds now, so that the damage gets past the first look. */
const sealAgain = (bytes: Buffer): void => {
  const end = Math.min(bytes.length, 12 + Math.max(49, bytes.readInt32BE(8)))
  bytes.writeInt32BE(jsCRC32C(bytes.subarray(21, end)) | 0, 17)
}

/** Takes all that there is, looks at every byte of it, and says whether an error ended it. */
const readThrough = (bytes: Buffer, asked: number, takeRecords: number): void => {
  const queue = queueFrom(asked, 100_000)
  queue.push({ records: bytes, abortedTransactions: [{ producerId: 5n, firstOffset: 30n }] }, BigInt(asked))
  const before = queue.records
  let taken = 0
  let previous = asked - 1
  try {
    for (;;) {
      const batch = queue.take(takeRecords, 10_000)
      if (batch === null) break
      taken += batch.length
      expect(batch.length).toBeGreaterThan(0)
      for (let i = 0; i < batch.length; i++) {
        expect(batch.offsets[i]).toBeGreaterThan(previous)
        previous = batch.offsets[i]!
        for (const [start, end] of [
          [batch.keyStarts[i]!, batch.keyEnds[i]!],
          [batch.valueStarts[i]!, batch.valueEnds[i]!],
        ] as const) {
          expect(start >= -1 && end >= start && end <= batch.bytes.length).toBe(true)
        }
      }
      recordsOf(batch)
      expect(Number(queue.nextOffset)).toBeGreaterThan(previous)
    }
    expect(taken).toBe(before)
  } catch (error) {
    if (!(error instanceof BatchUnreadable)) throw error
  }
  expect(taken).toBeLessThanOrEqual(before)
}

const codecNames = Object.keys(codecs) as CompressionName[]
const originals = new Map(codecNames.map((name) => [name, batches(codecs[name])]))

test('bytes that were changed are read within bounds, or refused by the typed error, and end', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codecNames),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.nat(45),
      fc.integer({ min: 1, max: 30 }),
      (name, changes, sealed, asked, takeRecords) => {
        const bytes = Buffer.from(originals.get(name)!)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        if (sealed) sealAgain(bytes)
        readThrough(bytes, asked, takeRecords)
      },
    ),
    { seed: 11, numRuns: 4000 },
  )
}, 30_000)

test('random bytes are refused or cut off', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (random, asBatch) => {
      const bytes = Buffer.from(random)
      if (asBatch && bytes.length >= 61) {
        bytes[16] = 2
        bytes.writeInt32BE(bytes.length - 12, 8)
        sealAgain(bytes)
      }
      readThrough(bytes, 0, 10)
    }),
    { seed: 12, numRuns: 2000 },
  )
}, 30_000)

test('what is whole is read the same, however it is cut into replies and taken', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codecNames),
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 400 }), fc.boolean()), {
        ...{ minLength: 1, maxLength: 8 },
      }),
      (name, sizes, takes) => {
        const queue = queueFrom()
        const values: (string | null)[] = []
        const expected: string[] = []
        let offset = 0
        for (const size of sizes) {
          const written = Array.from({ length: size }, (_, i) => ({
            offset: offset + i * 2,
            value: `v${offset + i * 2}`,
          }))
          const records = writtenBatch({ records: written, codec: codecs[name] })
          queue.push({ records, abortedTransactions: [] }, BigInt(queue.fetchOffset))
          expected.push(...written.map(({ value }) => value))
          offset += size * 2 - 1
          for (const [maxRecords, maxBytes, now] of takes) {
            const batch = now ? queue.take(maxRecords, maxBytes) : null
            if (batch === null) continue
            expect(batch.length).toBeLessThanOrEqual(maxRecords)
            values.push(...recordsOf(batch).map(({ value }) => value && Buffer.from(value).toString()))
          }
        }
        for (let batch = queue.take(5, 1e6); batch !== null; batch = queue.take(5, 1e6)) {
          values.push(...recordsOf(batch).map(({ value }) => value && Buffer.from(value).toString()))
        }
        expect(values).toEqual(expected)
        expect(queue).toMatchObject({ records: 0, bytes: 0, nextOffset: BigInt(offset) })
      },
    ),
    { seed: 13, numRuns: 300 },
  )
}, 30_000)
