import type { Dataset } from '../dataset.ts'
import type { FeatureSpec } from '../feature-spec.ts'
import type { ValidationIssue } from './validation-report.ts'

/** Above this share of missing values a feature says little. */
const OFTEN_MISSING = 0.5

/** A value this many interquartile ranges from the nearer quartile is no tail any more, but most likely a mistake. */
const OUTLIER_RANGES = 30

type Column = { name: string; spec: FeatureSpec; values: Float64Array }

/** What a column holds, counted in one pass. */
type Counts = { missing: number; infinite: number; outside: number; unknown: number; least: number; greatest: number }

const countValues = ({ spec, values }: Column): Counts => {
  const counts = { missing: 0, infinite: 0, outside: 0, unknown: 0, least: Infinity, greatest: -Infinity }
  const [low, high] = (spec.type === 'double' ? spec.range : undefined) ?? [-Infinity, Infinity]
  for (const value of values) {
    if (Number.isNaN(value)) {
      counts.missing++
      continue
    }
    if (!Number.isFinite(value)) counts.infinite++
    else if (value < low || value > high) counts.outside++
    if (spec.type === 'category' && value >= spec.categories.length) counts.unknown++
    counts.least = Math.min(counts.least, value)
    counts.greatest = Math.max(counts.greatest, value)
  }
  return counts
}

/** Numbers far from all others, counted; null where half of the values are the same, or there are few. */
const countOutliers = (values: Float64Array): { count: number; farthest: number } | null => {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  if (sorted.length < 20) return null
  const lower = sorted[Math.floor(sorted.length * 0.25)]!
  const upper = sorted[Math.floor(sorted.length * 0.75)]!
  const reach = (upper - lower) * OUTLIER_RANGES
  if (reach === 0) return null
  let count = 0
  for (const value of sorted) if (value < lower - reach || value > upper + reach) count++
  const [least, greatest] = [sorted[0]!, sorted.at(-1)!]
  return { count, farthest: lower - least > greatest - upper ? least : greatest }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const checkColumn = (column: Column): ValidationIssue[] => {
  const { name, spec, values } = column
  const counts = countValues(column)
  const issues: ValidationIssue[] = []
  const add = (issue: Omit<ValidationIssue, 'feature'>): void => void issues.push({ ...issue, feature: name })

  if (counts.infinite > 0) {
    add({
      ...{ severity: 'error', code: 'VALUE_NOT_FINITE', message: `${name} is infinite in ${counts.infinite} rows` },
      remedy: 'leave the value empty where it is not known',
    })
  }
  if (counts.outside > 0 && spec.type === 'double') {
    add({
      ...{ severity: 'error', code: 'VALUE_OUT_OF_RANGE' },
      message: `${name} is outside ${spec.range?.join(' to ')} in ${counts.outside} rows (${counts.least} to ${counts.greatest})`,
      remedy: 'correct the rows, or widen the range of the feature',
    })
  }
  if (counts.unknown > 0) {
    add({
      ...{ severity: 'warning', code: 'CATEGORY_UNKNOWN' },
      message: `${name} has a category that the task does not know in ${counts.unknown} rows`,
      remedy: 'name it among the categories of the feature',
    })
  }
  if (counts.missing > 0 && !spec.nullable) {
    add({
      ...{
        severity: 'error',
        code: 'VALUE_MISSING',
        message: `${name} is missing in ${counts.missing} rows, and may not be`,
      },
      remedy: 'fill the values in, or make the feature nullable',
    })
  } else if (counts.missing > values.length * OFTEN_MISSING) {
    add({
      ...{ severity: 'warning', code: 'OFTEN_MISSING' },
      message: `${name} is missing in ${percent(counts.missing / values.length)} of the rows`,
      remedy: 'leave the feature out unless that it is missing says something',
    })
  }
  if (counts.missing === values.length || counts.least === counts.greatest) {
    const what = counts.missing === values.length ? 'has no value at all' : `is ${counts.least} in every row`
    add({
      ...{
        severity: 'warning',
        code: 'CONSTANT_FEATURE',
        message: `${name} ${spec.type === 'category' && counts.missing < values.length ? 'is the same in every row' : what}`,
      },
      remedy: 'leave the feature out: nothing can be learnt from it',
    })
  } else if (spec.type === 'double' && counts.infinite === 0) {
    const outliers = countOutliers(values)
    if (outliers !== null && outliers.count > 0) {
      add({
        ...{ severity: 'warning', code: 'OUTLIERS' },
        message: `${name} lies more than ${OUTLIER_RANGES} interquartile ranges from its quartiles in ${outliers.count} rows (as far as ${outliers.farthest})`,
        remedy: 'look whether these are other units or mistakes; a range of the feature would refuse them',
      })
    }
  }
  return issues
}

/** Whether the values of each feature are what the task says of it. */
export const checkColumns = (dataset: Dataset, features: readonly FeatureSpec[]): ValidationIssue[] => {
  const width = features.length
  return features.flatMap((spec, column) => {
    const values = new Float64Array(dataset.rows)
    for (let row = 0; row < dataset.rows; row++) values[row] = dataset.features[row * width + column]!
    return checkColumn({ name: spec.name, spec, values })
  })
}
