import type { NamedArray } from '../sections.ts'
import { fitPlatt } from '../svm/platt.ts'
import { calibrationSections, curvesOf } from './calibration-sections.ts'
import { fitIsotonic, type IsotonicBlock } from './isotonic-regression.ts'
import { logOdds } from './log-odds.ts'

/** A probability and whether the row is of its class, for each row. */
type Curve = { readonly probabilities: Float64Array; readonly positive: readonly boolean[] }

const curvesFrom = (probabilities: Float64Array, labels: Int32Array, classes: number): Curve[] =>
  Array.from({ length: curvesOf(classes) }, (_, curve) => {
    const c = classes === 2 ? 1 : curve
    return {
      probabilities: Float64Array.from(labels, (_label, row) => probabilities[row * classes + c]!),
      positive: Array.from(labels, (label) => label === c),
    }
  })

/**
 * Platt's sigmoid over log-odds, where the identity is slope 1 and intercept 0. A slope that came out negative would
 * turn the order of the rows around: then the curve is level, at the share of the class.
 */
const fitSigmoid = ({ probabilities, positive }: Curve): { slope: number; intercept: number } => {
  const { a, b } = fitPlatt(Array.from(probabilities, logOdds), positive)
  if (a <= 0) return { slope: -a, intercept: -b }
  const positives = positive.filter(Boolean).length
  return { slope: 0, intercept: Math.log((positives + 1) / (positive.length - positives + 1)) }
}

/**
 * The value of a block, kept off 0 and 1: a block of `n` rows that are all or none of the class gives the mean of
 * Jeffreys' posterior, `1 / (2 (n + 1))` from the end, but stays beyond its neighbour.
 */
const blockValue = (blocks: readonly IsotonicBlock[], at: number): number => {
  const { value, rows } = blocks[at]!
  const margin = 1 / (2 * (rows + 1))
  if (value === 0) return Math.min(margin, blocks[at + 1]?.value ?? margin)
  if (value === 1) return Math.max(1 - margin, blocks[at - 1]?.value ?? 1 - margin)
  return value
}

/** The two ends of each block, or its one point. */
const pointsOf = ({ probabilities, positive }: Curve): { from: number; to: number }[] => {
  const blocks = fitIsotonic(
    probabilities,
    Float64Array.from(positive, (yes) => (yes ? 1 : 0)),
  )
  return blocks.flatMap(({ from, to }, at) => {
    const value = blockValue(blocks, at)
    return from === to ? [{ from, to: value }] : [from, to].map((end) => ({ from: end, to: value }))
  })
}

/**
 * Fits curves that correct the probabilities of a classifier: one per class, or one for two classes.
 * @param method `platt`: a sigmoid over log-odds (Platt 1999), two numbers a curve; `isotonic`: any non-decreasing curve
 *   (Zadrozny and Elkan 2002), for some hundred rows a class or more
 * @param probabilities row-major, of rows that the classifier was not trained on
 * @param labels class indices; each class occurs
 * @returns the sections that `openCalibration` takes
 */
export const fitCalibration = (
  method: 'platt' | 'isotonic',
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): NamedArray[] => {
  const curves = curvesFrom(probabilities, labels, classes)
  if (method === 'platt') {
    const sigmoids = curves.map(fitSigmoid)
    return [
      { name: calibrationSections.slopes, values: Float64Array.from(sigmoids, ({ slope }) => slope) },
      { name: calibrationSections.intercepts, values: Float64Array.from(sigmoids, ({ intercept }) => intercept) },
    ]
  }
  const points = curves.map(pointsOf)
  const starts = [0]
  for (const { length } of points) starts.push(starts.at(-1)! + length)
  return [
    { name: calibrationSections.starts, values: Int32Array.from(starts) },
    { name: calibrationSections.from, values: Float64Array.from(points.flat(), ({ from }) => from) },
    { name: calibrationSections.to, values: Float64Array.from(points.flat(), ({ to }) => to) },
  ]
}
