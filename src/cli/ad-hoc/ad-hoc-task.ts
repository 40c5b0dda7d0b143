import { ConfigInvalid } from '../../errors.ts'
import { type Dataset, DatasetInvalid } from '../../features/dataset.ts'
import { readDecimal } from '../../features/decimal.ts'
import { categoriesOf, type FeatureSpec } from '../../features/feature-spec.ts'
import type { TargetSpec } from '../../features/target-spec.ts'
import { MAX_CATEGORIES } from '../../models/forest/flat-forest.ts'
import type { CsvTable, TableColumn } from '../csv/csv-table.ts'

/** Whole numbers of at most so many kinds are taken for classes. */
export const MAX_NUMBERED_CLASSES = 20

/** More are names of rows rather than classes, and training time grows with them. */
const MAX_CLASSES = 1000

/** What a file without a configuration is to be trained for. */
export type AdHocTask = {
  readonly features: readonly FeatureSpec[]
  readonly target: TargetSpec
  /** Why the target was taken as classes or as numbers, for people. */
  readonly reason: string
  /** Columns that were left out, with the reason. */
  readonly ignored: readonly string[]
}

export type AdHocOptions = {
  /** What errors call the file. */
  readonly label: string
  readonly target: string
  /** Columns that are no features. */
  readonly ignore: readonly string[]
  /** Overrides what the values of the target suggest. */
  readonly kind?: 'classification' | 'regression'
}

const columnNamed = (table: CsvTable, name: string, label: string): TableColumn => {
  const [column, second] = table.columns.filter((candidate) => candidate.name === name)
  if (column === undefined) {
    const header = table.columns.map((candidate) => candidate.name)
    throw new DatasetInvalid(`${label} has no column '${name}'; its header is: ${header.join(', ')}`)
  }
  if (second !== undefined) throw new DatasetInvalid(`${label} has more than one column '${name}': rename one of them`)
  return column
}

const distinctNumbers = (values: Float64Array): number[] =>
  [...new Set(values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)

const featureOf = (column: TableColumn): FeatureSpec => {
  const { name, missing } = column
  return column.kind === 'number'
    ? { name, type: 'double', nullable: missing > 0 }
    : { name, type: 'category', categories: column.names, nullable: missing > 0 }
}

/** Refuses columns with more texts than a category may have, all in one message. @throws DatasetInvalid */
const refuseManyTexts = (columns: readonly TableColumn[], label: string): void => {
  const many = columns.filter((column) => column.kind === 'text' && column.names.length > MAX_CATEGORIES)
  if (many.length === 0) return
  const described = many.map((column) => {
    const texts = column.kind === 'text' ? column.names : []
    const strange = texts.filter((text) => Number.isNaN(readDecimal(text)))
    return strange.length < texts.length / 2
      ? `'${column.name}' holds numbers, but also '${strange[0]}' (leave the field empty where a number is not known)`
      : `'${column.name}' holds ${texts.length} different texts`
  })
  throw new DatasetInvalid(
    `${label}: column ${described.join(', ')}; a category has at most ${MAX_CATEGORIES} texts: ` +
      `leave it out with --ignore ${many.map(({ name }) => name).join(',')}`,
  )
}

type Target = Pick<AdHocTask, 'target' | 'reason'>

const classesFrom = (column: TableColumn): string[] =>
  column.kind === 'text' ? [...column.names] : distinctNumbers(column.values).map(String)

const targetOf = (column: TableColumn, { label, kind }: AdHocOptions): Target => {
  const { name, missing } = column
  if (missing > 0) {
    throw new DatasetInvalid(`${label}: the target '${name}' is missing in ${missing} rows; leave these rows out`)
  }
  const asClasses = (reason: string): Target => {
    const classes = classesFrom(column)
    if (classes.length > MAX_CLASSES) {
      throw new DatasetInvalid(
        `${label}: the target '${name}' holds ${classes.length} different values; at most ${MAX_CLASSES} classes are told apart: ` +
          'name another column with --target, or --task regression for numbers',
      )
    }
    if (classes.length < 2) {
      throw new DatasetInvalid(`${label}: the target '${name}' is ${classes[0]} in every row; two classes are needed`)
    }
    return { target: { name, type: 'classification', classes }, reason: `${classes.length} classes: ${reason}` }
  }
  const asNumbers = (reason: string): Target => ({
    target: { name, type: 'regression' },
    reason: `a number: ${reason}`,
  })

  if (kind === 'classification') return asClasses('--task says so')
  if (column.kind === 'text') {
    if (kind !== 'regression') return asClasses(`'${name}' holds text`)
    throw new DatasetInvalid(`${label}: the target '${name}' holds text; a regression needs decimal numbers`)
  }
  if (kind === 'regression') return asNumbers('--task says so')
  const distinct = new Set(column.values)
  const whole = column.values.every(Number.isInteger)
  if (whole && distinct.size <= MAX_NUMBERED_CLASSES) return asClasses(`'${name}' holds ${distinct.size} whole numbers`)
  return asNumbers(`'${name}' holds ${distinct.size} different ${whole ? 'whole ' : ''}numbers`)
}

/**
 * Reads from a table what is to be learnt: every column but the target is a feature, a number or a category. The target
 * is a class where it holds text or at most 20 different whole numbers, else a number. A column without a name, as
 * an index is written, is left out.
 * @throws DatasetInvalid; ConfigInvalid where the target is to be left out
 */
export const inferTask = (table: CsvTable, options: AdHocOptions): AdHocTask => {
  const { label, target, ignore } = options
  for (const name of ignore) {
    if (table.columns.every((column) => column.name !== name)) columnNamed(table, name, label)
    if (name === target) throw new ConfigInvalid(`--ignore ${name} leaves the target out: name other columns`)
  }
  const column = columnNamed(table, target, label)
  const unnamed = table.columns.filter(({ name }) => name === '').length
  const named = table.columns.filter(({ name }) => name !== '' && name !== target && !ignore.includes(name))
  if (named.length === 0) throw new DatasetInvalid(`${label} has no column besides the target '${target}'`)
  const columns = named.map(({ name }) => columnNamed(table, name, label))
  refuseManyTexts(columns, label)
  return {
    features: columns.map(featureOf),
    ...targetOf(column, options),
    ignored: [...ignore, ...(unnamed > 0 ? [`${unnamed} without a name`] : [])],
  }
}

const fillFeature = (
  column: TableColumn,
  spec: FeatureSpec,
  { label, isTraining }: { label: string; isTraining: boolean },
  put: (row: number, value: number) => void,
): void => {
  if (spec.type === 'double') {
    if (column.kind === 'text') {
      throw new DatasetInvalid(
        `${label}, column '${spec.name}' holds text such as '${column.names[0]}'; numbers are needed`,
      )
    }
    column.values.forEach((value, row) => {
      put(row, value)
    })
    return
  }
  // A category may look like a number in another file: its text is what counts.
  const names = column.kind === 'text' ? column.names : distinctNumbers(column.values).map(String)
  const codes = names.map((name) => spec.categories.indexOf(name))
  const unknown = codes.indexOf(-1)
  if (isTraining && unknown >= 0) {
    throw new DatasetInvalid(
      `${label}, column '${spec.name}' holds '${names[unknown]}', which is not among its categories`,
    )
  }
  const codeOf = (place: number): number => (codes[place]! < 0 ? spec.categories.length : codes[place]!)
  if (column.kind === 'text') {
    column.codes.forEach((place, row) => {
      put(row, place < 0 ? Number.NaN : codeOf(place))
    })
  } else {
    const places = new Map(distinctNumbers(column.values).map((value, place) => [value, place]))
    column.values.forEach((value, row) => {
      put(row, Number.isNaN(value) ? value : codeOf(places.get(value)!))
    })
  }
}

const labelsOf = (column: TableColumn, classes: readonly string[], label: string): Int32Array => {
  const codes = new Map(classes.map((name, index) => [name, index]))
  const codeOf = (text: string): number => {
    const code = codes.get(text)
    if (code !== undefined) return code
    throw new DatasetInvalid(
      `${label}, column '${column.name}' holds '${text}'; the classes are: ${classes.join(', ')}`,
    )
  }
  if (column.kind === 'number') return Int32Array.from(column.values, (value) => codeOf(String(value)))
  const byName = column.names.map(codeOf)
  return column.codes.map((place) => byName[place]!)
}

/**
 * The rows of a table as a task has them; columns are found by their names.
 * @param options.isTraining rows that are only tested with may hold categories that are not known
 * @throws DatasetInvalid
 */
export const datasetOf = (
  table: CsvTable,
  { features: specs, target }: Pick<AdHocTask, 'features' | 'target'>,
  options: { label: string; isTraining: boolean },
): Dataset => {
  const { label } = options
  const { rows } = table
  const width = specs.length
  const features = new Float64Array(rows * width)
  specs.forEach((spec, index) => {
    fillFeature(columnNamed(table, spec.name, label), spec, options, (row, value) => {
      features[row * width + index] = value
    })
  })
  const about = { featureNames: specs.map(({ name }) => name), categories: categoriesOf(specs), rows, features }
  const column = columnNamed(table, target.name, label)
  if (column.missing > 0) {
    throw new DatasetInvalid(
      `${label}: the target '${target.name}' is missing in ${column.missing} rows; leave them out`,
    )
  }
  if (target.type === 'classification') {
    const labels = labelsOf(column, target.classes, label)
    return { ...about, kind: 'classification', classNames: target.classes, labels }
  }
  if (column.kind === 'text') {
    throw new DatasetInvalid(
      `${label}, column '${target.name}' holds text such as '${column.names[0]}'; numbers are needed`,
    )
  }
  return { ...about, kind: 'regression', targets: column.values }
}
