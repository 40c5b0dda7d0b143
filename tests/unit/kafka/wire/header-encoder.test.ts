import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHeaderEncoder } from '../../../../src/kafka/wire/header-encoder.ts'
import { readHeaders } from '../../../../src/kafka/wire/record-headers.ts'

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.integer({ min: 60, max: 9000 }).map((length) => 'x'.repeat(length)),
)
const headers = fc.dictionary(text, fc.oneof(text, fc.uint8Array({ maxLength: 300 })), { maxKeys: 12 })

test('headers are read as they were written, one record after another', () => {
  const encoder = createHeaderEncoder()
  fc.assert(
    fc.property(headers, (given) => {
      const end = encoder.encode(given)
      const read = readHeaders(encoder.bytes(), 0, end) ?? {}
      const wanted = Object.entries(given).map(([name, value]) => [name, Buffer.from(value as string)])
      expect(Object.entries(read).map(([name, value]) => [name, Buffer.from(value)])).toEqual(wanted)
    }),
    { numRuns: 500, seed: 3 },
  )
})

test('no headers are one byte', () => {
  const encoder = createHeaderEncoder()
  expect([encoder.encode(undefined), encoder.bytes()[0]]).toEqual([1, 0])
})
