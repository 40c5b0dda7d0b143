import { createFeatureCodes, takeCut, takeFeature } from './best-split.ts'
import { type BinnedRows, MAX_BINS } from './binned-rows.ts'
import type { FoundCut } from './class-scan.ts'
import { type CutRange, createCutRangeFinder } from './cut-range.ts'
import type { GrowthRules } from './growth-rules.ts'
import { CODE_WORDS } from './present-codes.ts'
import type { BestSplit, NodeRows, SplitSearch } from './split-search.ts'

/** Numbers per code in a histogram, and per node: drawn rows, and the sum of their targets. */
const SUMS = 2

const sumValues = (
  codes: Uint8Array,
  codesAt: number,
  { rows, from, to }: NodeRows,
  weights: Int32Array,
  values: Float64Array,
  histogram: Float64Array,
  present: Int32Array,
): void => {
  for (let i = from; i < to; i++) {
    const row = rows[i]!
    const code = codes[codesAt + row]!
    const weight = weights[row]!
    const at = SUMS * code
    histogram[at] = histogram[at]! + weight
    histogram[at + 1] = histogram[at + 1]! + weight * values[row]!
    present[code >> 5] = present[code >> 5]! | (1 << (code & 31))
  }
}

/**
 * The cut with the least squared error: where `left sum^2 / left rows + right sum^2 / right rows` is greatest (Breiman
 * et al., 1984, section 8.4, rearranged).
 */
const scanValues = (
  histogram: Float64Array,
  order: Int32Array,
  { first, last }: CutRange,
  total: Float64Array,
  totalAt: number,
  leftFirst: number,
  found: FoundCut,
): void => {
  const rows = total[totalAt]!
  const sum = total[totalAt + 1]!
  let left = leftFirst < 0 ? 0 : histogram[SUMS * leftFirst]!
  let leftSum = leftFirst < 0 ? 0 : histogram[SUMS * leftFirst + 1]!
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position <= last; position++) {
    const at = SUMS * order[position]!
    left += histogram[at]!
    leftSum += histogram[at + 1]!
    if (position < first) continue
    const right = rows - left
    const rightSum = sum - leftSum
    const score = (leftSum * leftSum) / left + (rightSum * rightSum) / right
    if (score > best) {
      best = score
      found.position = position
    }
  }
  found.score = best
}

/**
 * Splits by the squared error of numbers.
 * @param targets the number of each row
 */
export const createValueSearch = (binned: BinnedRows, targets: Float64Array, rules: GrowthRules): SplitSearch => {
  const { codes: columnCodes, rows: allRows } = binned
  // Sums of numbers around 0 lose the least to rounding.
  let mean = 0
  for (let row = 0; row < allRows; row++) mean += (targets[row]! - mean) / (row + 1)
  const values = targets.map((value) => value - mean)
  const histogram = new Float64Array(MAX_BINS * SUMS)
  const present = new Int32Array(CODE_WORDS)
  const feature = createFeatureCodes()
  const found: FoundCut = { position: -1, score: 0 }
  const range: CutRange = { first: 0, last: -1 }
  const cutRange = createCutRangeFinder(binned, rules.minSamplesLeaf, range)
  let weights: Int32Array = new Int32Array(0)

  const scanFrom = (leftFirst: number, statistics: Float64Array, at: number, best: BestSplit): void => {
    cutRange.find(feature, leftFirst)
    scanValues(histogram, feature.order, range, statistics, at, leftFirst, found)
    if (found.score > best.score) takeCut(best, feature, found.position, found.score, leftFirst >= 0)
  }

  const measure: SplitSearch['measure'] = ({ rows, from, to }, out, at) => {
    let drawn = 0
    let sum = 0
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      drawn += weights[row]!
      sum += weights[row]! * values[row]!
    }
    out[at] = drawn
    out[at + 1] = sum
  }

  return {
    statistics: SUMS,
    outputs: 1,
    startTree: (drawn) => {
      weights = drawn
    },
    measure,
    // Not the parent's less the left one's: beside a few huge targets the rest of a sum would be rounding errors.
    measureRight: (right, _parent, _left, out, at) => measure(right, out, at),
    isPure: ({ rows, from, to }) => {
      const first = values[rows[from]!]!
      for (let i = from + 1; i < to; i++) if (values[rows[i]!]! !== first) return false
      return true
    },
    search: (column, node, statistics, at, best) => {
      sumValues(columnCodes, column * allRows, node, weights, values, histogram, present)
      cutRange.count(column, node)
      takeFeature(feature, column, binned, present)
      if (feature.isCategory) {
        // The best set of all is a cut of this order (Fisher, 1958), apart from what minSamplesLeaf forbids.
        const meanOf = (code: number): number => histogram[SUMS * code + 1]! / histogram[SUMS * code]!
        feature.order.subarray(0, feature.count).sort((a, b) => meanOf(a) - meanOf(b) || a - b)
      }
      scanFrom(-1, statistics, at, best)
      if (feature.missingSeen) scanFrom(feature.bins, statistics, at, best)
      histogram.fill(0, 0, SUMS * (feature.bins + 1))
    },
    cover: (statistics, at) => statistics[at]!,
    writeLeaf: (statistics, at, leaves, to) => {
      leaves[to] = mean + statistics[at + 1]! / statistics[at]!
    },
  }
}
