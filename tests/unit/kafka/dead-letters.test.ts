import { expect, test } from 'vitest'
import { deadLetterOf } from '../../../src/kafka/dead-letters.ts'
import type { RawRecord } from '../../../src/kafka/kafka-types.ts'
import { MAX_DEAD_LETTER_BYTES, wireBytes } from '../../../src/kafka/record-size.ts'

const record: RawRecord = {
  topic: 'task.features',
  partition: 5,
  offset: 42n,
  timestamp: 7,
  key: Buffer.from([1, 2]),
  value: Buffer.from([0, 255]),
  headers: {
    trace: Buffer.from('t'),
    'driftline.error.code': Buffer.from('OLD'),
    'driftline.error.truncated': Buffer.from('9'),
  },
}
const target = { topic: 'task.dead-letters', partitions: 4, failedAt: 1234 }

test('keeps key, value and headers, and says what went wrong and where', () => {
  expect(deadLetterOf(record, { code: 'BAD_AVRO', message: 'short', schemaId: 9 }, target)).toEqual({
    topic: 'task.dead-letters',
    partition: 1,
    key: record.key,
    value: record.value,
    headers: {
      trace: Buffer.from('t'),
      'driftline.error.code': 'BAD_AVRO',
      'driftline.error.message': 'short',
      'driftline.error.topic': 'task.features',
      'driftline.error.partition': '5',
      'driftline.error.offset': '42',
      'driftline.error.timestamp': '7',
      'driftline.error.schema_id': '9',
      'driftline.error.failed_at': '1234',
    },
  })
})

test('an empty value stays empty; an unknown schema id leaves no header; a long message is cut', () => {
  const letter = deadLetterOf({ ...record, value: null }, { code: 'X', message: 'm'.repeat(5000) }, target)
  expect(letter.value).toBeNull()
  expect(letter.headers).not.toHaveProperty('driftline.error.schema_id')
  expect(letter.headers?.['driftline.error.message']).toHaveLength(500)
})

test('a value that no topic takes is kept as far as it fits, and says how long it was', () => {
  const value = Buffer.alloc(3_000_000, 7)
  const letter = deadLetterOf(
    { ...record, value, headers: { huge: Buffer.alloc(500_000) } },
    { code: 'RECORD_TOO_LARGE', message: 'too large' },
    target,
  )
  expect(wireBytes(letter)).toBeLessThanOrEqual(MAX_DEAD_LETTER_BYTES)
  expect(letter.value?.byteLength).toBeGreaterThan(1_900_000)
  expect(letter.key).toEqual(record.key)
  expect(letter.headers).toMatchObject({ 'driftline.error.truncated': '3000000', 'driftline.error.offset': '42' })
})

test('a key that no topic takes is left out', () => {
  const letter = deadLetterOf({ ...record, key: Buffer.alloc(3_000_000) }, { code: 'X', message: 'm' }, target)
  expect(wireBytes(letter)).toBeLessThanOrEqual(MAX_DEAD_LETTER_BYTES)
  expect(letter.key).toBeNull()
})

test('a topic that takes less gets as much as it takes', () => {
  const value = Buffer.alloc(1_500_000)
  const smaller = { ...target, maxBytes: 1_048_488 }
  const letter = deadLetterOf({ ...record, value }, { code: 'X', message: 'm' }, smaller)
  expect(wireBytes(letter)).toBeLessThanOrEqual(1_048_488)
  expect(letter.value?.byteLength).toBeGreaterThan(1_040_000)
  expect(letter.headers).toMatchObject({ 'driftline.error.truncated': '1500000' })
  expect(deadLetterOf({ ...record, value }, { code: 'X', message: 'm' }, target).value?.byteLength).toBe(1_500_000)
})

test('just below the limit nothing is cut, however many headers there are', () => {
  const headers = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, Buffer.alloc(1000)]))
  for (const bytes of [1_700_000, 1_790_000, 1_799_000, 1_800_000]) {
    const letter = deadLetterOf({ ...record, headers, value: Buffer.alloc(bytes) }, { code: 'X', message: 'm' }, target)
    const isCut = letter.headers?.['driftline.error.truncated'] !== undefined
    expect(wireBytes(letter)).toBeLessThanOrEqual(MAX_DEAD_LETTER_BYTES)
    expect(isCut).toBe(letter.value?.byteLength !== bytes)
  }
})
