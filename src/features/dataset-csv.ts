import { CsvError, parse } from 'csv-parse/sync'
import { type Dataset, DatasetInvalid } from './dataset.ts'
import { readDecimal } from './decimal.ts'
import { type CategoryFeature, categoriesOf, type FeatureSpec, type NumberFeature } from './feature-spec.ts'
import type { TargetSpec } from './target-spec.ts'

export type CsvDatasetOptions = {
  /** What errors call the file. */
  readonly label: string
  readonly features: readonly FeatureSpec[]
  /** The column that holds the class or the number. */
  readonly target: TargetSpec
}

type CsvRecord = { record: string[]; info: { lines: number } }

const readRecords = (csv: string, label: string): CsvRecord[] => {
  try {
    return parse(csv, { bom: true, info: true, trim: true, skipEmptyLines: true }) as unknown as CsvRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new DatasetInvalid(`${label} is not a CSV file that can be read: ${error.message}`, { cause: error })
  }
}

const columnOf = (header: readonly string[], name: string, label: string): number => {
  const column = header.indexOf(name)
  if (column < 0) throw new DatasetInvalid(`${label} has no column '${name}'; its header is: ${header.join(', ')}`)
  if (header.indexOf(name, column + 1) >= 0) throw new DatasetInvalid(`${label} has more than one column '${name}'`)
  return column
}

const emptyValue = (spec: FeatureSpec, needed: string, place: string): number => {
  if (spec.nullable) return Number.NaN
  throw new DatasetInvalid(`${place} is empty; ${needed} is needed, since ${spec.name} is not nullable`)
}

const readNumber = (text: string, spec: NumberFeature, place: string): number => {
  if (text === '') return emptyValue(spec, 'a number', place)
  const value = readDecimal(text)
  if (Number.isNaN(value)) throw new DatasetInvalid(`${place} is '${text}'; a finite decimal number is needed`)
  if (spec.range !== undefined && (value < spec.range[0] || value > spec.range[1])) {
    throw new DatasetInvalid(`${place} is ${text}; it must be from ${spec.range[0]} to ${spec.range[1]}`)
  }
  return value
}

/** Most names that a message lists. */
const MAX_LISTED = 20

const listed = (names: readonly string[]): string =>
  names.length <= MAX_LISTED
    ? names.join(', ')
    : `${names.slice(0, MAX_LISTED).join(', ')} and ${names.length - MAX_LISTED} more`

/** Events may bring categories that are not known; in rows to train on such a name is a mistake of one side. */
const readCategory = (text: string, spec: CategoryFeature, place: string): number => {
  if (text === '') return emptyValue(spec, 'a category', place)
  const code = spec.categories.indexOf(text)
  if (code >= 0) return code
  throw new DatasetInvalid(`${place} is '${text}'; the categories are: ${listed(spec.categories)}`)
}

type FeatureColumns = Pick<Dataset, 'featureNames' | 'categories' | 'rows' | 'features'>

/** The rows with their classes or numbers. */
const withTarget = (columns: FeatureColumns, target: TargetSpec, texts: readonly string[], places: Places): Dataset => {
  if (target.type === 'regression') {
    const targets = Float64Array.from(texts, (text, row) => {
      const value = readDecimal(text)
      if (!Number.isNaN(value)) return value
      throw new DatasetInvalid(`${places(row, target.name)} is '${text}'; the target needs a finite decimal number`)
    })
    return { ...columns, kind: 'regression', targets }
  }
  const labels = Int32Array.from(texts, (text, row) => {
    const index = target.classes.indexOf(text)
    if (index >= 0) return index
    throw new DatasetInvalid(`${places(row, target.name)} is '${text}'; the classes are: ${listed(target.classes)}`)
  })
  return { ...columns, kind: 'classification', classNames: target.classes, labels }
}

/** Names a value for messages. */
type Places = (row: number, column: string) => string

/**
 * Reads a CSV file with a header. Columns that are neither features nor the target are ignored. A category stands as
 * its name.
 * @throws DatasetInvalid at the first mistake, with the file, line, column, value and what is allowed
 */
export const readCsvDataset = (csv: string, options: CsvDatasetOptions): Dataset => {
  const { label, features: specs, target } = options
  const [head, ...records] = readRecords(csv, label)
  if (head === undefined || records.length === 0) {
    throw new DatasetInvalid(`${label} has no rows; it needs a header line and at least one row`)
  }
  const columns = specs.map((spec) => columnOf(head.record, spec.name, label))
  const targetColumn = columnOf(head.record, target.name, label)
  const places: Places = (row, column) => `${label}, line ${records[row]!.info.lines}, column '${column}'`

  const features = new Float64Array(records.length * specs.length)
  records.forEach(({ record }, row) => {
    specs.forEach((spec, i) => {
      const text = record[columns[i]!]!
      const place = places(row, spec.name)
      features[row * specs.length + i] =
        spec.type === 'category' ? readCategory(text, spec, place) : readNumber(text, spec, place)
    })
  })
  const about = { featureNames: specs.map((spec) => spec.name), categories: categoriesOf(specs), rows: records.length }
  const texts = records.map(({ record }) => record[targetColumn]!)
  return withTarget({ ...about, features }, target, texts, places)
}
