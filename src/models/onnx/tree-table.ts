/** How a node asks: the true branch is taken where `value <mode> threshold`. `member` asks for one of a set. */
export const MODES = ['leaf', 'leq', 'lt', 'gte', 'gt', 'eq', 'neq', 'member'] as const

export type Mode = (typeof MODES)[number]

/**
 * A tree ensemble as its file tells it, under one roof for all versions of the operators: nodes by index, nothing
 * checked yet but lengths. One element per node unless said.
 */
export type TreeTable = {
  /** First node of each tree. */
  readonly roots: Int32Array
  /** Nodes that stand for nothing of their own and are in no tree. */
  readonly unused: number
  readonly mode: readonly Mode[]
  readonly feature: Int32Array
  readonly threshold: Float64Array
  /** Children, by index; meaningless in a leaf. */
  readonly whenTrue: Int32Array
  readonly whenFalse: Int32Array
  /** 1 where a missing value takes the true branch, whatever the mode. */
  readonly missingTrue: Uint8Array
  /** The codes of `member` nodes, by node. */
  readonly members: ReadonlyMap<number, readonly number[]>
  /** In a leaf, its row of `weights`; else -1. */
  readonly leafRow: Int32Array
  /** Row-major, `leaves * outputs`; 0 where the file gives none. */
  readonly weights: Float64Array
  /** Columns of `weights`: classes, or targets. */
  readonly outputs: number
  /** Which columns the file gives weights for. */
  readonly usedOutputs: ReadonlySet<number>
}

/** What becomes of the leaves of an ensemble. */
export type EnsembleRule = {
  readonly aggregate: 'sum' | 'average'
  readonly transform: 'none' | 'softmax' | 'logistic'
  readonly base: readonly number[]
}
