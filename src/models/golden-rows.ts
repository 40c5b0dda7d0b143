import type { Dataset } from '../features/dataset.ts'
import type { GoldenRows } from './manifest.ts'
import type { Scorer } from './scorer.ts'
import { scoreRows } from './verify-golden.ts'

const TYPICAL_ROWS = 5

// The same arithmetic gives the same bits; this leaves room for a machine whose exp() rounds its last bit differently.
const TOLERANCE = 1e-9

type Span = { readonly least: number; readonly middle: number; readonly greatest: number }

/** Of a number: least, mean and greatest value, all 0 without any. Of a category: its first, a middle and an unknown code. */
const spanOf = ({ features, featureNames, categories, rows }: Dataset, column: number): Span => {
  const codes = categories[column]?.length ?? 0
  if (codes > 0) return { least: 0, middle: codes >> 1, greatest: codes }
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  let mean = 0
  let count = 0
  for (let row = 0; row < rows; row++) {
    const value = features[row * featureNames.length + column]!
    if (Number.isNaN(value)) continue
    if (value < least) least = value
    if (value > greatest) greatest = value
    count++
    // A running mean stays between the values: their sum might overflow.
    mean += value / count - mean / count
  }
  return count === 0 ? { least: 0, middle: 0, greatest: 0 } : { least, middle: mean, greatest }
}

/**
 * Rows that tell whether a loaded model is the trained one: some training rows, spread evenly, as they are, the means
 * of all, one without any value, and the corners where every feature has its least or its greatest value; categories
 * have a middle, the first and an unknown one there.
 */
export const pickGoldenRows = (scorer: Scorer, training: Dataset): GoldenRows => {
  const columns = training.featureNames.length
  const typical = Array.from({ length: TYPICAL_ROWS }, (_, i) => {
    const row = Math.round((i * (training.rows - 1)) / (TYPICAL_ROWS - 1))
    const values = training.features.subarray(row * columns, (row + 1) * columns)
    return Array.from(values, (value) => (Number.isNaN(value) ? null : value))
  })
  const spans = Array.from({ length: columns }, (_, column) => spanOf(training, column))
  const features = [
    ...typical,
    spans.map(({ middle }) => middle),
    spans.map(() => null),
    spans.map(({ least }) => least),
    spans.map(({ greatest }) => greatest),
  ]
  return { features, outputs: scoreRows(scorer, features), tolerance: TOLERANCE }
}
