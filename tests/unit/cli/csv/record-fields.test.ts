import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRecordFields, fieldText, isEmptyLine, readRecord } from '../../../../src/cli/csv/record-fields.ts'
import { splitBlocks } from '../../../../src/cli/csv/split-blocks.ts'

const encoder = new TextEncoder()

const recordsOf = (bytes: Uint8Array): string[][] => {
  const fields = createRecordFields(64)
  const records: string[][] = []
  for (let at = 0; at < bytes.length; ) {
    at = readRecord(bytes, at, bytes.length, fields)
    expect(fields.fault).toBe(null)
    if (isEmptyLine(fields)) continue
    records.push(Array.from({ length: fields.count }, (_, column) => fieldText(bytes, fields, column)))
  }
  return records
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const readThrough = async (text: string, chunkBytes: number): Promise<string[][]> => {
  const records: string[][] = []
  for await (const block of splitBlocks(chunksOf(encoder.encode(text), chunkBytes), 'test')) {
    expect(block.at(-1)).toBe(10)
    records.push(...recordsOf(block))
  }
  return records
}

/** Fields with everything that CSV finds hard. */
const hardField = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '1', '.', '-', ' '), maxLength: 6 }).map((text) => text.trim()),
  fc
    .string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é'), maxLength: 8 })
    .map((text) => `"${text.replaceAll('"', '""')}"`),
)
const blanks = fc.constantFrom('', '', '', ' ', '\t ')
const padded = fc.tuple(blanks, hardField, blanks).map((parts) => parts.join(''))

const table = fc
  .integer({ min: 2, max: 5 })
  .chain((columns) =>
    fc.tuple(
      fc.array(fc.array(padded, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.boolean(),
    ),
  )
  .map(([rows, lineEnd, ends, emptyLine]) => {
    const lines = rows.map((row) => row.join(','))
    return lines.join(emptyLine ? lineEnd + lineEnd : lineEnd) + (ends ? lineEnd : '')
  })

describe('records of CSV', () => {
  test('are those that csv-parse reads, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (text, chunkBytes) => {
        const options = {
          trim: true,
          skipEmptyLines: true,
          recordDelimiter: text.includes('\r\n') ? ['\r\n', '\n'] : '\n',
        }
        expect(await readThrough(text, chunkBytes)).toEqual(parse(text, options))
      }),
      { seed: 11, numRuns: 2000 },
    )
  })

  test.each([
    ['a,"b"c,d\n', 'text after a closing quote'],
    ['a,b"c,d\n', 'a quote stands inside'],
    ['a,"b,c\n', 'never closed'],
  ])('%j has a fault', (text, fault) => {
    const bytes = encoder.encode(text)
    const fields = createRecordFields(8)
    expect(readRecord(bytes, 0, bytes.length, fields)).toBe(bytes.length)
    expect(fields.fault).toContain(fault)
  })

  test('fields beyond the room for them are counted, not kept', () => {
    const bytes = encoder.encode('1,2,3,4\n')
    const fields = createRecordFields(2)
    readRecord(bytes, 0, bytes.length, fields)
    expect(fields.count).toBe(4)
    expect([...fields.starts]).toEqual([0, 2])
  })

  test('lines are counted inside quotes, too', () => {
    const bytes = encoder.encode('a,"1\n2\n3"\nb,c\n')
    const fields = createRecordFields(2)
    const next = readRecord(bytes, 0, bytes.length, fields)
    expect(fields.lines).toBe(3)
    readRecord(bytes, next, bytes.length, fields)
    expect(fields.lines).toBe(1)
  })
})
