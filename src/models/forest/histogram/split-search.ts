/** Where a split sends a category. */
export const Side = { right: 0, left: 1, absent: 2 } as const

/** The best split of a node so far. One object serves all nodes. */
export type BestSplit = {
  /** The feature, or -1 where no split is allowed. */
  column: number
  /** Greater is better; comparable within a node only. */
  score: number
  /** For numbers: the last code that goes left, and the next code that occurs in the node; `bins` where none does. */
  code: number
  nextCode: number
  /** For categories: the `Side` of each code. */
  readonly sides: Uint8Array
  isCategory: boolean
  missingLeft: boolean
  /** Whether rows with a missing value are in the node: otherwise the direction is not learnt. */
  missingSeen: boolean
}

/** The rows of a node: a part of an array of row numbers. */
export type NodeRows = { readonly rows: Int32Array; from: number; to: number }

/**
 * What depends on the target: the statistics of a node and the best split on a feature. Statistics are a few numbers
 * per node, kept by the caller.
 */
export type SplitSearch = {
  /** Numbers per node. */
  readonly statistics: number
  /** Numbers per leaf. */
  readonly outputs: number
  /** Begins a tree. @param weights how often each row is drawn */
  readonly startTree: (weights: Int32Array) => void
  readonly measure: (node: NodeRows, out: Float64Array, at: number) => void
  /** Statistics of the right child of a node, `right` being its rows. */
  readonly measureRight: (right: NodeRows, parent: number, left: number, out: Float64Array, at: number) => void
  /** Whether all rows of the node have the same target. */
  readonly isPure: (node: NodeRows, statistics: Float64Array, at: number) => boolean
  /** Looks for a split on `column` that is better than `best`, and puts it there. */
  readonly search: (column: number, node: NodeRows, statistics: Float64Array, at: number, best: BestSplit) => void
  /** Weight of a node's rows. */
  readonly cover: (statistics: Float64Array, at: number) => number
  readonly writeLeaf: (statistics: Float64Array, at: number, leaves: Float64Array, to: number) => void
}
