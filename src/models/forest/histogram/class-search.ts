import { createFeatureCodes, takeCut, takeFeature } from './best-split.ts'
import { type BinnedRows, MAX_BINS } from './binned-rows.ts'
import { type ClassScan, type FoundCut, scanEntropy, scanGini, scanTwoClasses } from './class-scan.ts'
import { type CutRange, createCutRangeFinder } from './cut-range.ts'
import type { GrowthRules } from './growth-rules.ts'
import { CODE_WORDS } from './present-codes.ts'
import type { BestSplit, NodeRows, SplitSearch } from './split-search.ts'

/**
 * Counts drawn rows by code and class.
 * @param keys per row: how often it was drawn, then its class in the last `classBits` bits. No row of a sample is drawn
 * so often that it would not fit.
 */
const countClasses = (
  codes: Uint8Array,
  codesAt: number,
  node: NodeRows,
  keys: Int32Array,
  classBits: number,
  classes: number,
  histogram: Int32Array,
  present: Int32Array,
): void => {
  const { rows, from, to } = node
  const mask = (1 << classBits) - 1
  for (let i = from; i < to; i++) {
    const row = rows[i]!
    const key = keys[row]!
    const code = codes[codesAt + row]!
    const at = Math.imul(code, classes) + (key & mask)
    histogram[at] = histogram[at]! + (key >>> classBits)
    present[code >> 5] = present[code >> 5]! | (1 << (code & 31))
  }
}

/**
 * Splits by classes. A node's statistics are its drawn rows by class.
 * @param labels class of each row
 */
export const createClassSearch = (
  binned: BinnedRows,
  labels: Int32Array,
  classes: number,
  rules: GrowthRules,
): SplitSearch => {
  const { classWeights, criterion } = rules
  const { codes: columnCodes, rows: allRows } = binned
  const classBits = 32 - Math.clz32(Math.max(1, classes - 1))
  const keys = new Int32Array(allRows)
  const histogram = new Int32Array(MAX_BINS * classes)
  const present = new Int32Array(CODE_WORDS)
  const left = new Float64Array(classes)
  const feature = createFeatureCodes()
  const found: FoundCut = { position: -1, score: 0 }
  const range: CutRange = { first: 0, last: -1 }
  const cutRange = createCutRangeFinder(binned, rules.minSamplesLeaf, range)
  const plain = classWeights.every((weight) => weight === 1)
  const shares = new Float64Array(MAX_BINS)

  const task: ClassScan = {
    classes,
    histogram,
    order: feature.order,
    total: left,
    totalAt: 0,
    leftFirst: -1,
    classWeights,
    range,
  }

  const scan = (statistics: Float64Array, at: number, leftFirst: number): void => {
    task.total = statistics
    task.totalAt = at
    task.leftFirst = leftFirst
    cutRange.find(feature, leftFirst)
    if (criterion === 'entropy') scanEntropy(task, found, left)
    else if (classes === 2 && plain) scanTwoClasses(task, found)
    else scanGini(task, found, left)
  }

  const scanBothWays = (statistics: Float64Array, at: number, best: BestSplit): void => {
    scan(statistics, at, -1)
    if (found.score > best.score) takeCut(best, feature, found.position, found.score, false)
    if (!feature.missingSeen) return
    scan(statistics, at, feature.bins)
    if (found.score > best.score) takeCut(best, feature, found.position, found.score, true)
  }

  /** Orders the codes by the share that a class has of their weight; equal shares keep the order of codes. */
  const orderByShareOf = (asked: number): void => {
    for (let i = 0; i < feature.count; i++) {
      const code = feature.order[i]!
      let weight = 0
      for (let c = 0; c < classes; c++) weight += histogram[code * classes + c]! * classWeights[c]!
      shares[code] = (histogram[code * classes + asked]! * classWeights[asked]!) / weight
    }
    feature.order.subarray(0, feature.count).sort((a, b) => shares[a]! - shares[b]! || a - b)
  }

  const clear = (): void => {
    if (4 * feature.count > feature.bins) {
      histogram.fill(0, 0, (feature.bins + 1) * classes)
      return
    }
    for (let i = 0; i < feature.count; i++) {
      const code = feature.order[i]! * classes
      for (let c = 0; c < classes; c++) histogram[code + c] = 0
    }
    if (feature.missingSeen) histogram.fill(0, feature.bins * classes, (feature.bins + 1) * classes)
  }

  return {
    statistics: classes,
    outputs: classes,
    startTree: (weights) => {
      for (let row = 0; row < allRows; row++) keys[row] = (weights[row]! << classBits) | labels[row]!
    },
    measure: ({ rows, from, to }, out, at) => {
      const mask = (1 << classBits) - 1
      out.fill(0, at, at + classes)
      for (let i = from; i < to; i++) {
        const key = keys[rows[i]!]!
        const c = at + (key & mask)
        out[c] = out[c]! + (key >>> classBits)
      }
    },
    measureRight: (_, parent, leftAt, out, at) => {
      for (let c = 0; c < classes; c++) out[at + c] = out[parent + c]! - out[leftAt + c]!
    },
    isPure: (_, statistics, at) => {
      let occurring = 0
      for (let c = 0; c < classes; c++) if (statistics[at + c]! > 0) occurring++
      return occurring <= 1
    },
    search: (column, node, statistics, at, best) => {
      countClasses(columnCodes, column * allRows, node, keys, classBits, classes, histogram, present)
      cutRange.count(column, node)
      takeFeature(feature, column, binned, present)
      if (!feature.isCategory) scanBothWays(statistics, at, best)
      else {
        // For two classes the best set of all is a cut of this order (Breiman et al., 1984, theorem 4.5), apart from
        // what minSamplesLeaf forbids. For more classes the best cut of each class against the others has to do.
        for (let c = classes === 2 ? 1 : 0; c < classes; c++) {
          orderByShareOf(c)
          scanBothWays(statistics, at, best)
        }
      }
      clear()
    },
    cover: (statistics, at) => {
      let sum = 0
      for (let c = 0; c < classes; c++) sum += statistics[at + c]! * classWeights[c]!
      return sum
    },
    writeLeaf: (statistics, at, leaves, to) => {
      let sum = 0
      for (let c = 0; c < classes; c++) sum += statistics[at + c]! * classWeights[c]!
      for (let c = 0; c < classes; c++) leaves[to + c] = (statistics[at + c]! * classWeights[c]!) / sum
    },
  }
}
