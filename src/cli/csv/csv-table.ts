import { DatasetInvalid } from '../../features/dataset.ts'
import { readHeader } from './csv-header.ts'
import { isMissingNumber } from './missing-number.ts'
import { parseDecimal } from './parse-decimal.ts'
import { createRecordFields, fieldText, isEmptyLine, QUOTING, readRecord } from './record-fields.ts'

/** A column of a table: numbers, or names where a value is no number. */
export type TableColumn =
  | {
      readonly name: string
      readonly kind: 'number'
      /** NaN where missing. */
      readonly values: Float64Array
      readonly missing: number
    }
  | {
      readonly name: string
      readonly kind: 'text'
      /** The distinct texts, in the order of their code units. */
      readonly names: readonly string[]
      /** By row: the place in `names`, -1 where missing. */
      readonly codes: Int32Array
      readonly missing: number
    }

export type CsvTable = { readonly rows: number; readonly columns: readonly TableColumn[] }

type Layout = { bytes: Uint8Array; from: number; label: string; names: readonly string[]; rows: number }

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Calls back for each record with its number, from 0 on. @throws DatasetInvalid */
const eachRecord = (
  { bytes, from, label, names }: Omit<Layout, 'rows'>,
  firstLine: number,
  use: (row: number, fields: ReturnType<typeof createRecordFields>) => void,
): number => {
  const fields = createRecordFields(names.length)
  let row = 0
  let line = firstLine
  for (let at = from; at < bytes.length; ) {
    at = readRecord(bytes, at, bytes.length, fields)
    const start = line
    line += fields.lines
    if (isEmptyLine(fields)) continue
    if (fields.fault !== null) throw new DatasetInvalid(`${label}, line ${start}: ${fields.fault}`)
    if (fields.count !== names.length) {
      throw new DatasetInvalid(`${label}, line ${start} has ${fields.count} fields, and the header ${names.length}`)
    }
    use(row++, fields)
  }
  return row
}

/** Every column as numbers, as long as it holds nothing else; null for one that does. */
const readNumbers = (layout: Layout, firstLine: number): (Float64Array | null)[] => {
  const { bytes, names, rows } = layout
  const numbers: (Float64Array | null)[] = names.map(() => new Float64Array(rows))
  eachRecord(layout, firstLine, (row, fields) => {
    for (let column = 0; column < names.length; column++) {
      const values = numbers[column]
      if (values == null) continue
      const value = parseDecimal(bytes, fields.starts[column]!, fields.ends[column]!)
      values[row] = value
      if (!Number.isNaN(value)) continue
      const missing = fields.quoting[column] === QUOTING.none && isMissingNumber(fieldText(bytes, fields, column))
      if (!missing) numbers[column] = null
    }
  })
  return numbers
}

const readTexts = (layout: Layout, firstLine: number, wanted: readonly number[]): TableColumn[] => {
  const { bytes, names, rows } = layout
  const found = wanted.map(() => ({ codes: new Int32Array(rows), places: new Map<string, number>(), missing: 0 }))
  eachRecord(layout, firstLine, (row, fields) => {
    wanted.forEach((column, index) => {
      const { codes, places } = found[index]!
      const text = fieldText(bytes, fields, column)
      if (text === '') {
        found[index]!.missing++
        codes[row] = -1
        return
      }
      let place = places.get(text)
      if (place === undefined) {
        place = places.size
        places.set(text, place)
      }
      codes[row] = place
    })
  })
  return wanted.map((column, index) => {
    const { codes, places, missing } = found[index]!
    const sorted = [...places.keys()].sort(compareText)
    const order = new Int32Array(places.size)
    sorted.forEach((text, code) => {
      order[places.get(text)!] = code
    })
    const ordered = codes.map((place) => (place < 0 ? -1 : order[place]!))
    return { name: names[column]!, kind: 'text', names: sorted, codes: ordered, missing }
  })
}

const endedByLine = (bytes: Uint8Array): Uint8Array => {
  if (bytes.at(-1) === 10) return bytes
  const ended = new Uint8Array(bytes.length + 1)
  ended.set(bytes)
  ended[bytes.length] = 10
  return ended
}

/**
 * Reads a whole CSV file with a header. A column is of numbers if every value in it is a decimal number or missing, else
 * of text. Missing is an empty field, and in a column of numbers also NA, N/A, NaN and null.
 * @param label what errors call the file
 * @throws DatasetInvalid at the first record that is not like the header, with its line
 */
export const parseTable = (file: Uint8Array, label: string): CsvTable => {
  const bytes = endedByLine(file)
  const header = readHeader(bytes, label)
  if (header === null) throw new DatasetInvalid(`${label} is empty; it needs a header line and at least one row`)
  const { names } = header
  const firstLine = header.lines + 1
  const rows = eachRecord({ bytes, from: header.end, label, names }, firstLine, () => undefined)
  if (rows === 0) throw new DatasetInvalid(`${label} has no rows; it needs a header line and at least one row`)
  const layout: Layout = { bytes, from: header.end, label, names, rows }
  const numbers = readNumbers(layout, firstLine)
  const texts = readTexts(
    layout,
    firstLine,
    names.map((_, column) => column).filter((column) => numbers[column] === null),
  )
  const columns = names.map((name, column): TableColumn => {
    const values = numbers[column]
    if (values == null) return texts.shift()!
    const missing = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
    return { name, kind: 'number', values, missing }
  })
  return { rows, columns }
}
