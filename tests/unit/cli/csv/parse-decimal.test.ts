import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDecimal } from '../../../../src/cli/csv/parse-decimal.ts'
import { readDecimal } from '../../../../src/features/decimal.ts'

const encoder = new TextEncoder()

/** Read from the middle of other bytes, so that a read beyond the field shows. */
const parsed = (text: string): number => {
  const bytes = encoder.encode(`9${text}9e9`)
  return parseDecimal(bytes, 1, 1 + encoder.encode(text).length)
}

const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: most })

const decimal = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    digits(25),
    fc.constantFrom('', '.'),
    digits(25),
    fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), digits(4)), { nil: undefined }),
  )
  .map(([sign, whole, point, fraction, exponent]) => sign + whole + point + fraction + (exponent?.join('') ?? ''))

describe('a decimal number in bytes', () => {
  test('is the double that Number() gives, and NaN for what is none', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        expect(parsed(text)).toBe(readDecimal(text))
      }),
      { seed: 3, numRuns: 20_000 },
    )
  })

  test('reads back every double as it is written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // String() writes -0 as 0.
        expect(parsed(String(value))).toBe(value + 0)
      }),
      { seed: 4, numRuns: 20_000 },
    )
  })

  test('rounds as Number() does next to the middle between two doubles', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 1e15, noNaN: true }), fc.integer({ min: -2, max: 2 }), (value, off) => {
        // Seventeen digits that name no double exactly.
        const text = value.toPrecision(17).replace(/\d$/, (digit) => String((Number(digit) + off + 10) % 10))
        expect(parsed(text)).toBe(Number(text))
      }),
      { seed: 5, numRuns: 20_000 },
    )
  })

  test.each(['', '.', '-', '+.', 'e5', '1e', '1e+', '0x10', '1_0', '1.2.3', 'Infinity', 'NaN', '1e999', '- 1', '1 '])(
    '%j is none',
    (text) => expect(parsed(text)).toBeNaN(),
  )

  test('keeps the sign of zero', () => {
    expect(parsed('-0.0')).toBe(-0)
    expect(parsed('0e-400')).toBe(0)
  })
})
