import { describe, expect, test } from 'vitest'
import { parseTable } from '../../../../src/cli/csv/csv-table.ts'

const table = (text: string) => parseTable(new TextEncoder().encode(text), 'rows.csv')

describe('a table', () => {
  test('has columns of numbers and of text, missing values apart', () => {
    const { rows, columns } = table('\ufeffa,b,c,d\n1,red,,\n2.5e1,,NA,\n-3,blue,7,\n')
    expect(rows).toBe(3)
    expect(columns).toEqual([
      { name: 'a', kind: 'number', values: Float64Array.of(1, 25, -3), missing: 0 },
      { name: 'b', kind: 'text', names: ['blue', 'red'], codes: Int32Array.of(1, -1, 0), missing: 1 },
      { name: 'c', kind: 'number', values: Float64Array.of(Number.NaN, Number.NaN, 7), missing: 2 },
      { name: 'd', kind: 'number', values: new Float64Array(3).fill(Number.NaN), missing: 3 },
    ])
  })

  test('one text makes a column text, numbers in it included', () => {
    const { columns } = table('a\n1\n2\nx\n1\n"NA"\n')
    expect(columns).toEqual([
      { name: 'a', kind: 'text', names: ['1', '2', 'NA', 'x'], codes: Int32Array.of(0, 1, 3, 0, 2), missing: 0 },
    ])
  })

  test('a file without a line feed at its end is whole', () => {
    expect(table('a,b\r\n1,"x\ny"').columns[1]).toMatchObject({ names: ['x\ny'] })
  })

  test.each([
    ['', 'is empty'],
    ['a,b\n', 'has no rows'],
    ['a,b\n1,2\n\n"x\ny",2\n1\n', 'line 6 has 1 fields, and the header 2'],
    ['a,b\n1,"2\n', 'line 2: a quote is opened and never closed'],
    ['\ufffe', 'no rows'],
  ])('%j is refused', (text, message) => expect(() => table(text)).toThrow(message))

  test('UTF-16 is told from UTF-8', () => {
    expect(() => parseTable(Uint8Array.of(0xff, 0xfe, 97, 0), 'rows.csv')).toThrow('UTF-16')
  })
})
