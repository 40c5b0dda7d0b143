import { columnCount, type ForestColumns, setGoesLeft } from './forest-columns.ts'
import type { ForestNodes } from './forest-nodes.ts'
import {
  CHILD_WORD,
  COLUMN_BYTES,
  COLUMN_WORD,
  LEAF_MARK,
  LEAF_ROW_WORD,
  MARK_WORD,
  NODE_BITS,
  NODE_WORDS,
  treeCount,
} from './forest-nodes.ts'

/**
 * Writes the sum of the leaves that each row falls into, added in the order of the trees. Allocates nothing.
 * @param from where the first row begins in `rows`
 * @param at where the first row of sums begins in `out`
 */
export type SumLeaves = (rows: Float64Array, from: number, count: number, out: Float64Array, at: number) => void

/** A forest as it was stored, read and checked. */
export type ForestParts = {
  readonly nodes: ForestNodes
  readonly columns: ForestColumns
  readonly leaves: Float64Array
  /** Features in a row. */
  readonly features: number
  readonly outputs: number
  /** What the sum of the leaves begins with, one per output. */
  readonly base: Float64Array
}

/**
 * Walks node by node. It reads of each row only what is asked on its way, which pays where a forest has very many
 * columns, as one with many category sets has; and it needs no memory beside the model's.
 */
export const createWalk = ({ nodes, columns, leaves, features: width, outputs, base }: ForestParts): SumLeaves => {
  const { bounds, words, thresholds } = nodes
  const trees = treeCount(nodes)
  const features = Int32Array.from([...columns.right, ...columns.left, ...columns.sets])
  const firstLeft = columns.right.length
  const firstSet = columnCount(columns) - columns.sets.length

  const goesLeft = (node: number, rows: Float64Array, values: number): boolean => {
    const column = words[node * NODE_WORDS + COLUMN_WORD]! / COLUMN_BYTES
    const value = rows[values + features[column]!]!
    if (column >= firstSet) return setGoesLeft(columns, column - firstSet, value)
    return value <= thresholds[node * 2]! || (column >= firstLeft && Number.isNaN(value))
  }

  return (rows, from, count, out, at) => {
    for (let row = at; row < at + count * outputs; row += outputs) {
      for (let o = 0; o < outputs; o++) out[row + o] = base[o]!
    }
    for (let tree = 0; tree < trees; tree++) {
      for (let row = 0; row < count; row++) {
        const values = from + row * width
        let node = bounds[tree]!
        while (words[node * NODE_WORDS + MARK_WORD] !== LEAF_MARK) {
          const child = words[node * NODE_WORDS + CHILD_WORD]! >> NODE_BITS
          node = goesLeft(node, rows, values) ? child + 1 : child
        }
        const leaf = words[node * NODE_WORDS + LEAF_ROW_WORD]! * outputs
        const sum = at + row * outputs
        for (let o = 0; o < outputs; o++) out[sum + o] = out[sum + o]! + leaves[leaf + o]!
      }
    }
  }
}
