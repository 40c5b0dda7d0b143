import { adjustPValues, type Correction } from '../../drift/adjust.ts'
import { type ColumnComparison, compareCategories, compareNumbers, type ValueCounts } from '../../drift/compare.ts'
import type { CsvTable, TableColumn } from '../csv/csv-table.ts'
import { ComparisonInvalid } from './comparison-invalid.ts'

/** A table and what errors call it. */
export type NamedTable = { readonly label: string; readonly table: CsvTable }

export type CompareOptions = {
  /** The columns to compare; null for all that both tables have. */
  readonly columns: readonly string[] | null
  readonly alpha: number
  readonly correction: Correction
  /** Least effect of a drifted feature. */
  readonly minEffect: number
}

/** One feature, as the command prints it in JSON. A null is what cannot be told: a side has no values, or misses none. */
export type FeatureDrift = {
  readonly feature: string
  readonly test: 'ks' | 'chi_square'
  readonly statistic: number | null
  readonly p_value: number | null
  readonly adjusted_p_value: number | null
  readonly effect: number | null
  readonly psi: number | null
  readonly drifted: boolean
  readonly unseen: number
  readonly missing_reference: number
  readonly missing_current: number
  readonly missing_p_value: number | null
  readonly missing_adjusted_p_value: number | null
  readonly missing_drifted: boolean
}

export type DriftReport = {
  readonly rows: { readonly reference: number; readonly current: number }
  readonly alpha: number
  readonly correction: Correction
  readonly min_effect: number
  readonly drifted: boolean
  readonly features: readonly FeatureDrift[]
  readonly skipped: readonly { readonly feature: string; readonly reason: string }[]
  readonly only_in_reference: readonly string[]
  readonly only_in_current: readonly string[]
}

/** A text column with more names than this, most of which occur once, tells rows apart and no kinds of rows. */
const MANY_NAMES = 100

const columnNamed = ({ label, table }: NamedTable, name: string): TableColumn => {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column !== undefined) return column
  const names = table.columns.map((candidate) => candidate.name)
  throw new ComparisonInvalid(`${label} has no column '${name}'; its header is: ${names.join(', ')}`)
}

const checkNames = ({ label, table }: NamedTable): void => {
  const names = table.columns.map(({ name }) => name)
  const twice = names.find((name, column) => names.indexOf(name) !== column)
  if (twice !== undefined) throw new ComparisonInvalid(`${label} has more than one column '${twice}'; rename one`)
}

const hasValues = (column: TableColumn, rows: number): boolean => column.missing < rows

/** Texts that are numbers, by their value: one file may write 01 or 1.0 in a column that only holds numbers in the other. */
const numbersAmong = (column: TableColumn): Map<number, string> => {
  const texts = column.kind === 'text' ? column.names : []
  return new Map(texts.map((text): [number, string] => [Number(text), text]).filter(([value]) => !Number.isNaN(value)))
}

/** A column as categories. Numbers are those texts of the other file that mean the same, or stand for themselves. */
const countsOf = (column: TableColumn, other: TableColumn): ValueCounts => {
  const counts = new Map<string, number>()
  const add = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  if (column.kind === 'text') {
    const byCode = new Array<number>(column.names.length).fill(0)
    for (const code of column.codes) if (code >= 0) byCode[code] = byCode[code]! + 1
    column.names.forEach((name, code) => void counts.set(name, byCode[code]!))
  } else {
    const textOf = numbersAmong(other)
    for (const value of column.values) if (!Number.isNaN(value)) add(textOf.get(value) ?? String(value))
  }
  return { counts, missing: column.missing }
}

const compare = (name: string, reference: NamedTable, current: NamedTable): ColumnComparison => {
  const expected = columnNamed(reference, name)
  const actual = columnNamed(current, name)
  if (expected.kind === 'number' && actual.kind === 'number') return compareNumbers(expected.values, actual.values)
  if (expected.kind === 'number' && actual.kind === 'text' && hasValues(expected, reference.table.rows)) {
    const text = actual.names.find((one) => Number.isNaN(Number(one))) ?? actual.names[0]
    throw new ComparisonInvalid(
      `column '${name}' is of numbers in ${reference.label}, but ${current.label} has '${text}' in it; mend the file, or ` +
        'choose other columns with --columns',
    )
  }
  return compareCategories(countsOf(expected, actual), countsOf(actual, expected))
}

/** Why a column that nobody asked for by name is left out, or null. */
const reasonToSkip = (name: string, { table }: NamedTable): string | null => {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column?.kind !== 'text' || column.names.length <= MANY_NAMES) return null
  const present = table.rows - column.missing
  if (column.names.length <= present / 2) return null
  return (
    `${column.names.length} different texts in ${present} rows, as an identifier or a time has; ` +
    'name it with --columns to compare it all the same'
  )
}

/** Adjusts the p-values that are there, and leaves the others null. */
const adjust = (pValues: readonly (number | null)[], correction: Correction): (number | null)[] => {
  const adjusted = adjustPValues(
    pValues.filter((p) => p !== null),
    correction,
  )
  let next = 0
  return pValues.map((p) => (p === null ? null : adjusted[next++]!))
}

/** @throws ComparisonInvalid if there is nothing to compare */
const chooseColumns = (
  reference: NamedTable,
  current: NamedTable,
  columns: readonly string[] | null,
): { chosen: string[]; skipped: DriftReport['skipped'] } => {
  if (columns !== null) {
    const chosen = [...new Set(columns)]
    for (const name of chosen) for (const side of [reference, current]) columnNamed(side, name)
    return { chosen, skipped: [] }
  }
  const common = reference.table.columns
    .map(({ name }) => name)
    .filter((name) => current.table.columns.some((column) => column.name === name))
  if (common.length === 0) {
    throw new ComparisonInvalid(
      `${reference.label} and ${current.label} have no column in common; their headers are: ` +
        [reference, current].map(({ table }) => table.columns.map(({ name }) => name).join(', ')).join(' / '),
    )
  }
  const skipped = common.flatMap((feature) => {
    const reason = reasonToSkip(feature, reference)
    return reason === null ? [] : [{ feature, reason }]
  })
  return { chosen: common.filter((name) => skipped.every(({ feature }) => feature !== name)), skipped }
}

const namesOnlyIn = (one: NamedTable, other: NamedTable): string[] =>
  one.table.columns
    .map(({ name }) => name)
    .filter((name) => other.table.columns.every((column) => column.name !== name))

/**
 * Compares the columns of two tables: numbers by Kolmogorov-Smirnov, texts by chi-square, and missing values apart.
 * A feature drifted if its p-value, adjusted over all features, is below alpha and its effect is large enough. The tests
 * of missing values are a family of their own, of the features that miss any.
 * @throws ComparisonInvalid where columns are missing, there twice, or of numbers on one side and of texts on the other
 */
export const compareTables = (reference: NamedTable, current: NamedTable, options: CompareOptions): DriftReport => {
  const { alpha, correction, minEffect } = options
  for (const side of [reference, current]) checkNames(side)
  const { chosen, skipped } = chooseColumns(reference, current, options.columns)
  const compared = chosen.map((name) => compare(name, reference, current))
  const adjusted = adjust(
    compared.map(({ values }) => values?.pValue ?? null),
    correction,
  )
  const missing = compared.map((one) => (one.missingReference + one.missingCurrent === 0 ? null : one.missingPValue))
  const missingAdjusted = adjust(missing, correction)
  const features = compared.map(({ test, values, ...one }, i): FeatureDrift => {
    const p = adjusted[i]!
    const missingP = missingAdjusted[i]!
    return {
      feature: chosen[i]!,
      test,
      statistic: values?.statistic ?? null,
      p_value: values?.pValue ?? null,
      adjusted_p_value: p,
      effect: values?.effect ?? null,
      psi: values?.psi ?? null,
      drifted: p !== null && p < alpha && values!.effect >= minEffect,
      unseen: one.unseen,
      missing_reference: one.missingReference,
      missing_current: one.missingCurrent,
      missing_p_value: missing[i]!,
      missing_adjusted_p_value: missingP,
      missing_drifted: missingP !== null && missingP < alpha,
    }
  })
  return {
    rows: { reference: reference.table.rows, current: current.table.rows },
    alpha,
    correction,
    min_effect: minEffect,
    drifted: features.some((one) => one.drifted || one.missing_drifted),
    features,
    skipped,
    only_in_reference: namesOnlyIn(reference, current),
    only_in_current: namesOnlyIn(current, reference),
  }
}
