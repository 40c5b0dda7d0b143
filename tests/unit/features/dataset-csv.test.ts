import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DatasetInvalid } from '../../../src/features/dataset.ts'
import { readCsvDataset } from '../../../src/features/dataset-csv.ts'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'

const features: FeatureSpec[] = [
  { name: 'size', type: 'double', nullable: false, range: [0, 30] },
  { name: 'weight', type: 'double', nullable: true },
]
const read = (csv: string) =>
  readCsvDataset(csv, {
    label: 'flowers.csv',
    features,
    target: { name: 'kind', type: 'classification', classes: ['a', 'b'] },
  })

const refusal = (csv: string): string => {
  try {
    read(csv)
  } catch (error) {
    expect(error).toBeInstanceOf(DatasetInvalid)
    expect((error as DatasetInvalid).code).toBe('DATASET_INVALID')
    return (error as Error).message
  }
  return expect.unreachable('the file was read')
}

describe('a sound file', () => {
  it('is read by the names of its columns, whatever their order', () => {
    const dataset = read('kind,weight,note,size\nb,2.5,x,1\na,,"y,\nz",-0\n')
    expect(dataset).toEqual({
      kind: 'classification',
      featureNames: ['size', 'weight'],
      categories: [[], []],
      classNames: ['a', 'b'],
      rows: 2,
      features: Float64Array.of(1, 2.5, -0, Number.NaN),
      labels: Int32Array.of(1, 0),
    })
  })

  it('may have a byte order mark, CRLF line ends, blanks around values and empty lines', () => {
    const dataset = read('\uFEFFsize, weight ,kind\r\n\r\n 1 ,+2e1, a \r\n')
    expect([...dataset.features]).toEqual([1, 20])
  })

  it('gives back the numbers that were written', () => {
    const numbers = fc.double({ min: 0, max: 30, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 20 }), (rows) => {
        const csv = `size,weight,kind\n${rows.map(([size, weight]) => `${size},${weight},a`).join('\n')}`
        expect([...read(csv).features]).toEqual(rows.flat())
      }),
    )
  })
})

describe('a mistake is refused with its place and what is allowed', () => {
  it.each([
    ['no header', '', ['no rows']],
    ['no rows', 'size,weight,kind\n', ['no rows']],
    ['a missing column', 'size,kind\n1,a\n', ["'weight'", 'size, kind']],
    ['a missing target', 'size,weight\n1,2\n', ["'kind'"]],
    ['a column twice', 'size,size,weight,kind\n1,1,2,a\n', ['more than one', "'size'"]],
    ['an unknown class', 'size,weight,kind\n1,2,a\n1,2,C\n', ['line 3', "'kind'", "'C'", 'a, b']],
    ['a word for a number', 'size,weight,kind\n1,2,a\nbig,2,a\n', ['line 3', "'size'", "'big'"]],
    ['hexadecimal', 'size,weight,kind\n0x10,2,a\n', ['line 2', "'0x10'"]],
    ['infinity', 'size,weight,kind\n1,Infinity,a\n', ['line 2', "'weight'", "'Infinity'"]],
    ['a number beyond doubles', 'size,weight,kind\n1,1e999,a\n', ['line 2', "'1e999'"]],
    ['an empty value', 'size,weight,kind\n,2,a\n', ['line 2', "'size'", 'empty']],
    ['a value out of range', 'size,weight,kind\n31,2,a\n', ['line 2', "'size'", '31', '0 to 30']],
    ['a short row', 'size,weight,kind\n1,2\n', ['line 2']],
    ['an open quote', 'size,weight,kind\n"1,2,a\n', ['line']],
  ])('%s', (_name, csv, parts) => {
    const message = refusal(csv)
    expect(message).toContain('flowers.csv')
    for (const part of parts) expect(message).toContain(part)
  })
})

describe('a file with categories and a number as target', () => {
  const readPrices = (csv: string) =>
    readCsvDataset(csv, {
      label: 'prices.csv',
      features: [
        { name: 'size', type: 'double', nullable: false },
        { name: 'town', type: 'category', categories: ['north', 'south'], nullable: true },
      ],
      target: { name: 'price', type: 'regression' },
    })

  it('has codes for the categories, NaN where they are missing, and the numbers as targets', () => {
    expect(readPrices('size,town,price\n1,south,2.5\n2,,-1e2\n3,north,0\n')).toEqual({
      kind: 'regression',
      featureNames: ['size', 'town'],
      categories: [[], ['north', 'south']],
      rows: 3,
      features: Float64Array.of(1, 1, 2, Number.NaN, 3, 0),
      targets: Float64Array.of(2.5, -100, 0),
    })
  })

  it.each([
    ['an unknown category', 'size,town,price\n1,east,2\n', ['line 2', "'town'", "'east'", 'north, south']],
    ['a class for a number', 'size,town,price\n1,north,high\n', ['line 2', "'price'", "'high'", 'decimal']],
    ['an empty target', 'size,town,price\n1,north,1\n1,north,\n', ['line 3', "'price'"]],
  ])('is refused for %s', (_name, csv, parts) => {
    expect(() => readPrices(csv)).toThrowError(DatasetInvalid)
    for (const part of parts) expect(() => readPrices(csv)).toThrowError(part)
  })
})
