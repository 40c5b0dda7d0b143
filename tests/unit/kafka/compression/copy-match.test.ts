import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyLiteral, copyMatch } from '../../../../src/kafka/compression/copy-match.ts'

test('a match is repeated as byte by byte, also where it reaches into what is being written', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.nat(99),
      fc.integer({ min: 0, max: 1000 }),
      (start, back, length) => {
        const offset = 1 + (back % start.length)
        const bytes = Buffer.alloc(start.length + length + 10, 0xee)
        bytes.set(start)
        const expected = Buffer.from(bytes)
        for (let i = start.length; i < start.length + length; i++) expected[i] = expected[i - offset]!
        copyMatch(bytes, start.length, offset, length)
        expect(bytes.equals(expected)).toBe(true)
      },
    ),
    { seed: 3, numRuns: 500 },
  )
})

test('a literal of any length is copied, and nothing around it', () => {
  const source = Buffer.from(Array.from({ length: 100 }, (_, i) => i))
  for (let length = 0; length < 80; length++) {
    const target = Buffer.alloc(100, 0xee)
    copyLiteral(source, 7, length, target, 3)
    const expected = Buffer.alloc(100, 0xee)
    expected.set(source.subarray(7, 7 + length), 3)
    expect(target.equals(expected)).toBe(true)
  }
})
