import type { TrainingRows } from '../../estimator.ts'
import { FitFailed } from '../../model-errors.ts'
import { MAX_CATEGORIES } from '../flat-forest.ts'
import { allocateBinnedRows, type BinnedRows, MAX_BINS } from './binned-rows.ts'
import { cutPoints } from './cut-points.ts'

/** What binning reads of the rows. */
export type BinInput = Pick<TrainingRows, 'features' | 'rows' | 'columns' | 'categories'>

/** Equal steps between a column's least and greatest cut; each knows the bins that it meets. */
const GUIDE_STEPS = 1024

/** @throws FitFailed if a feature has more categories than can be coded in a byte beside missing values */
export const checkCategories = (categories: Int32Array): void => {
  const column = categories.findIndex((count) => count > MAX_CATEGORIES)
  if (column < 0) return
  throw new FitFailed(
    `feature ${column + 1} has ${categories[column]} categories, and a forest splits at most ${MAX_CATEGORIES}; ` +
      'merge the rare ones or leave the feature out',
  )
}

const binCategories = (column: number, values: Float64Array, binned: BinnedRows): void => {
  const count = binned.categories[column]!
  const to = column * binned.rows
  for (let row = 0; row < values.length; row++) {
    const code = values[row]!
    binned.codes[to + row] = Number.isInteger(code) && code >= 0 && code < count ? code : count
  }
  binned.bins[column] = count
}

/** Finds the bin of a value: a step of the guide tells between which two bins to look. */
const createBinFinder = (cuts: Float64Array): ((value: number) => number) => {
  const last = cuts.length - 1
  const least = cuts[0] ?? 0
  const perStep = last > 0 ? GUIDE_STEPS / (cuts[last]! - least) : 0
  // The same arithmetic for cuts and values keeps their order, so that rounding cannot lead to a wrong step.
  const stepOf = (value: number): number => {
    const step = (value - least) * perStep
    return step > 0 ? (step < GUIDE_STEPS ? Math.floor(step) : GUIDE_STEPS) : 0
  }
  const from = new Int32Array(GUIDE_STEPS + 2)
  for (const cut of cuts) {
    const step = stepOf(cut) + 1
    from[step] = from[step]! + 1
  }
  for (let step = 1; step < from.length; step++) from[step] = from[step]! + from[step - 1]!

  return (value) => {
    const step = stepOf(value)
    let low = from[step]!
    let high = from[step + 1]!
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= cuts[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}

const binNumbers = (column: number, values: Float64Array, binned: BinnedRows, maxBins: number): void => {
  const { codes, bins, lowest, highest } = binned
  const cuts = cutPoints(values, Math.max(1, maxBins - (values.some(Number.isNaN) ? 1 : 0)))
  const count = cuts.length + 1
  const binOf = createBinFinder(cuts)
  const to = column * binned.rows
  const edges = column * MAX_BINS
  lowest.fill(Number.POSITIVE_INFINITY, edges, edges + MAX_BINS)
  highest.fill(Number.NEGATIVE_INFINITY, edges, edges + MAX_BINS)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (Number.isNaN(value)) {
      codes[to + row] = count
      continue
    }
    const bin = binOf(value)
    codes[to + row] = bin
    if (value < lowest[edges + bin]!) lowest[edges + bin] = value
    if (value > highest[edges + bin]!) highest[edges + bin] = value
  }
  bins[column] = count
}

/**
 * Bins some columns, so that threads can share the work.
 * @param input of which `checkCategories` approves
 * @param fromColumn first column, up to `toColumn`, which is left out
 */
export const binColumns = (
  input: BinInput,
  maxBins: number,
  binned: BinnedRows,
  fromColumn: number,
  toColumn: number,
): void => {
  const { features, rows, columns } = input
  const values = new Float64Array(rows)
  for (let column = fromColumn; column < toColumn; column++) {
    for (let row = 0, at = column; row < rows; row++, at += columns) values[row] = features[at]!
    if (binned.categories[column] === 0) binNumbers(column, values, binned, maxBins)
    else binCategories(column, values, binned)
  }
}

/** Bins all columns. @param maxBins 2 to 256 @throws FitFailed if a feature has more than 255 categories */
export const binFeatures = (input: BinInput, maxBins: number): BinnedRows => {
  checkCategories(input.categories)
  const binned = allocateBinnedRows(input.rows, input.categories)
  binColumns(input, maxBins, binned, 0, input.columns)
  return binned
}
