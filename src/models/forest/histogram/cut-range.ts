import type { FeatureCodes } from './best-split.ts'
import { type BinnedRows, MAX_BINS } from './binned-rows.ts'
import type { NodeRows } from './split-search.ts'

/** Positions of an order of codes after which it may be cut: from `first` to `last`, none where `first > last`. */
export type CutRange = { first: number; last: number }

export type CutRangeFinder = {
  /** To be called for each feature of a node before `find`. */
  readonly count: (column: number, node: NodeRows) => void
  /**
   * Finds the cuts that leave at least `minSamplesLeaf` rows on each side.
   * @param leftFirst code of the rows that are on the left before the first cut, or -1 for none
   */
  readonly find: (feature: FeatureCodes, leftFirst: number) => void
}

/**
 * Rows are counted once, however often they were drawn: as in scikit-learn, where a row that was drawn often does not
 * make a leaf on its own.
 * @param range written by `find`
 */
export const createCutRangeFinder = (binned: BinnedRows, minSamplesLeaf: number, range: CutRange): CutRangeFinder => {
  const { codes, rows: allRows } = binned
  const counts = new Int32Array(MAX_BINS)
  let all = 0
  return {
    count: (column, { rows, from, to }) => {
      if (minSamplesLeaf === 1) return
      counts.fill(0)
      for (let i = from, at = column * allRows; i < to; i++) {
        const code = codes[at + rows[i]!]!
        counts[code] = counts[code]! + 1
      }
      all = to - from
    },
    find: ({ order, count, missingSeen }, leftFirst) => {
      range.first = 0
      // All codes may go left only where missing values stay on the right.
      range.last = missingSeen && leftFirst < 0 ? count - 1 : count - 2
      if (minSamplesLeaf === 1) return
      const end = range.last
      range.first = end + 1
      let left = leftFirst < 0 ? 0 : counts[leftFirst]!
      for (let position = 0; position <= end; position++) {
        left += counts[order[position]!]!
        if (left < minSamplesLeaf) continue
        if (all - left < minSamplesLeaf) {
          range.last = position - 1
          return
        }
        if (range.first > position) range.first = position
      }
    },
  }
}
