import avsc from 'avsc'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { copyBytes, writeDecimal, writeLong, writeText } from '../../../../src/kafka/serde/avro-bytes.ts'

const bytesOf = (most: number, write: (target: Buffer, at: number) => number): Buffer => {
  const target = Buffer.alloc(most + 2, 0xaa)
  return target.subarray(2, write(target, 2))
}

it('writes whole numbers as Avro does', () => {
  const long = avsc.Type.forSchema('long')
  const edges = [
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    2 ** 30,
    -(2 ** 30) - 1,
    2 ** 31,
    2 ** 32,
    2 ** 51,
    2 ** 52 - 1,
    1 - 2 ** 52,
  ]
  const numbers = fc.oneof(
    fc.constantFrom(...edges),
    fc.integer(),
    fc.integer({ min: -(2 ** 21), max: 2 ** 21 }).map((high) => high * 2 ** 31 - high),
  )
  fc.assert(
    fc.property(numbers, (value) => {
      expect(bytesOf(10, (target, at) => writeLong(target, at, value))).toEqual(long.toBuffer(value))
    }),
    { seed: 1 },
  )
})

it('writes text as Avro does', () => {
  const string = avsc.Type.forSchema('string')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
      expect(bytesOf(10 + 3 * text.length, (target, at) => writeText(target, at, text))).toEqual(string.toBuffer(text))
    }),
    { seed: 2 },
  )
})

it('writes numbers in decimal notation', () => {
  const edges = [0, 9, 10, 99, 999_999_999, 1e9, 1e9 + 5, 2 ** 53 - 1, 1_000_000_010]
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat(), fc.nat()), (value) => {
      expect(bytesOf(20, (target, at) => writeDecimal(target, at, value)).toString()).toBe(String(value))
    }),
    { seed: 3 },
  )
})

it.each([0, 1, 48, 49, 500])('copies %i bytes and no more', (length) => {
  const source = Buffer.from(Array.from({ length: length + 2 }, (_, i) => i % 250))
  const copied = bytesOf(length + 1, (target, at) => copyBytes(target, at, source, 1, length + 1))
  expect(copied).toEqual(source.subarray(1, length + 1))
})
