import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCsvWriter, csvField } from '../../../../src/cli/csv/csv-writer.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('written CSV', () => {
  test('has the shortest text of every number, however often it comes', () => {
    const writer = createCsvWriter(16)
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 50 }), (values) => {
        for (const value of [...values, ...values]) {
          writer.number(value)
          writer.comma()
        }
        const expected = [...values, ...values].map((value) => (Number.isNaN(value) ? ',' : `${value},`)).join('')
        expect(textOf(writer.take())).toBe(expected)
      }),
      { seed: 6, numRuns: 500 },
    )
  })

  test('writes 0 where nothing else was written yet', () => {
    const writer = createCsvWriter()
    writer.number(0)
    expect(textOf(writer.take())).toBe('0')
  })

  test('gives buffers that later writing leaves alone', () => {
    const writer = createCsvWriter(4)
    writer.bytes(new TextEncoder().encode('a long text'.repeat(20)), 2, 201)
    const first = writer.take()
    writer.endLine()
    expect(textOf(first)).toBe('a long text'.repeat(20).slice(2, 201))
    expect(textOf(writer.take())).toBe('\n')
  })

  test('quotes what has to be quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'ü') }), (text) => {
        expect(parse(`${csvField(text)},end\n`, { trim: true, recordDelimiter: '\n' })).toEqual([[text, 'end']])
      }),
      { seed: 7 },
    )
    expect(csvField('plain_1.5')).toBe('plain_1.5')
  })
})
