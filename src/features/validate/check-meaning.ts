import type { Dataset } from '../dataset.ts'
import { readDecimal } from '../decimal.ts'
import type { CategoryFeature, FeatureSpec } from '../feature-spec.ts'
import type { ValidationIssue } from './validation-report.ts'

/** In fewer rows a feature may have another value in each by chance. */
const MIN_ROWS = 20

type Named = { readonly count: number; readonly name: string }

/** The categories that occur, with their rows. */
const countNames = (values: Float64Array, { categories }: CategoryFeature): Named[] => {
  const counts = new Map<number, number>()
  for (const code of values) if (code < categories.length) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts].map(([code, count]) => ({ count, name: categories[code]! }))
}

const sumOf = (named: readonly Named[]): number => named.reduce((sum, { count }) => sum + count, 0)

/** Whether each row has the number after that of the row before it. */
const isRowNumber = (values: Float64Array): boolean =>
  values.every((value, row) => Number.isInteger(value) && (row === 0 || value === values[row - 1]! + 1))

const checkNumbers = (name: string, values: Float64Array): ValidationIssue[] =>
  values.length < MIN_ROWS || !isRowNumber(values)
    ? []
    : [
        {
          ...{ severity: 'warning', code: 'ROW_IDENTIFIER', feature: name },
          message: `${name} numbers the rows`,
          remedy: 'leave the feature out: it says nothing of other rows',
        },
      ]

const checkNames = (values: Float64Array, spec: CategoryFeature): ValidationIssue[] => {
  const { name } = spec
  const named = countNames(values, spec)
  const rows = sumOf(named)
  const texts = named.filter((one) => Number.isNaN(readDecimal(one.name)))
  const textRows = sumOf(texts)
  // Few numbers among the names may well be kinds of things.
  const numbers = named.length - texts.length
  if (texts.length > 0 && numbers >= MIN_ROWS && textRows < rows / 2) {
    return [
      {
        ...{ severity: 'warning', code: 'NUMBERS_AS_TEXT', feature: name },
        message: `${name} holds numbers in ${rows - textRows} rows and text such as '${texts[0]!.name}' in ${textRows}, and is taken for categories`,
        remedy: 'leave the field empty where the number is not known',
      },
    ]
  }
  if (rows < MIN_ROWS || named.length <= rows / 2) return []
  return [
    {
      ...{ severity: 'warning', code: 'ROW_IDENTIFIER', feature: name },
      message: `${name} holds ${named.length} different texts in ${rows} rows, as a name, an identifier or a time does`,
      remedy: 'leave the feature out: most other rows will have none of these',
    },
  ]
}

/** Whether a feature tells rows apart rather than kinds of rows, or is of another type than it seems. */
export const checkMeaning = (dataset: Dataset, features: readonly FeatureSpec[]): ValidationIssue[] => {
  const width = features.length
  return features.flatMap((spec, column) => {
    const values = Float64Array.from({ length: dataset.rows }, (_, row) => dataset.features[row * width + column]!)
    return spec.type === 'category' ? checkNames(values, spec) : checkNumbers(spec.name, values)
  })
}
