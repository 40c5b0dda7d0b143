import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'

/**
 * How a forest lies in memory, in its file and while it scores. A node is 16 bytes:
 * ```text
 *  0  float64  threshold; in a leaf the NaN of LEAF_MARK, whose low 32 bits are its row of leaves
 *  8  int32    byte offset of its right child, which its left child follows; in a leaf the leaf's own offset
 * 12  int32    byte offset of its column within the cells of a group of rows; 0 in a leaf
 * ```
 * One step is `node = child + 16 * (cell <= threshold)`. Nothing is at most a NaN, so a leaf leads to itself, and a
 * walk takes as many steps as its tree is deep without asking where it is. Low words come first, as in WebAssembly.
 */
export const NODE_BYTES = 16
export const NODE_BITS = 4

/** Offsets within nodes, cells and leaves are int32. */
export const OFFSET_LIMIT = 2 ** 31

/** Places within a node, in bytes, and in words of 32 bits. */
export const THRESHOLD_BYTE = 0
export const MARK_BYTE = 4
export const CHILD_BYTE = 8
export const COLUMN_BYTE = 12
export const NODE_WORDS = 4
export const LEAF_ROW_WORD = 0
export const MARK_WORD = 1
export const CHILD_WORD = 2
export const COLUMN_WORD = 3

/** The high word of a leaf's threshold: a quiet NaN. No threshold of a split is NaN. */
export const LEAF_MARK = 0x7ff80000

/**
 * Rows that are walked at once. A step waits for two reads that depend on each other; other rows fill that time.
 * Measured on 58,000 nodes: 4 rows 1.4 us a row, 8 rows 0.95, 12 rows 0.80, 16 rows 0.75, 24 rows 0.74.
 */
export const GROUP_ROWS = 16

/**
 * The cells of a group lie column by column, 16 float64 each, so that a row's cell stands at a constant distance from
 * its column's offset.
 */
export const CELL_BYTES = 8
export const COLUMN_BYTES = GROUP_ROWS * CELL_BYTES

/** Trees that are walked at once for a row that is alone. */
export const GROUP_TREES = 12

/** The nodes of all trees. Which trees there are is checked, what the nodes say is not. */
export type ForestNodes = {
  /** Index of each tree's first node, and the number of nodes at the end. */
  readonly bounds: Int32Array
  readonly words: Int32Array
  /** The same bytes; element `2 * node` is its threshold. */
  readonly thresholds: Float64Array
}

export const treeCount = ({ bounds }: ForestNodes): number => bounds.length - 1

/** Where a tree lies, and what its nodes may name. */
type TreeBounds = { readonly root: number; readonly end: number; readonly columns: number; readonly leafRows: number }

/**
 * Checks a tree in one pass. Its nodes must stand level by level, so the children of each split come right after those
 * of the split before it: then every node but the root is the child of one other, and every walk ends.
 * @returns the node that is at fault, or the end
 */
const checkTree = (words: Int32Array, thresholds: Float64Array, bounds: TreeBounds): number => {
  const { root, end, columns, leafRows } = bounds
  let children = root + 1
  let node = root
  for (; node < children; node++) {
    const at = node * NODE_WORDS
    const child = words[at + CHILD_WORD]!
    const column = words[at + COLUMN_WORD]!
    if (words[at + MARK_WORD] === LEAF_MARK) {
      const row = words[at + LEAF_ROW_WORD]!
      if (row < 0 || row >= leafRows || child !== node << NODE_BITS || column !== 0) break
      continue
    }
    if (child !== children << NODE_BITS || Number.isNaN(thresholds[node * 2])) break
    if (column < 0 || column >= columns * COLUMN_BYTES || column % COLUMN_BYTES !== 0 || children + 2 > end) break
    children += 2
  }
  return node
}

/** What is wrong with a node that `checkTree` found, in words. */
const describeFault = (words: Int32Array, node: number, { end, columns, leafRows }: TreeBounds): string => {
  const at = node * NODE_WORDS
  const column = words[at + COLUMN_WORD]!
  if (words[at + MARK_WORD] === LEAF_MARK) {
    const row = words[at + LEAF_ROW_WORD]!
    if (row < 0 || row >= leafRows) return `names row ${row} of ${leafRows} rows of leaves`
    return 'is a leaf that does not lead to itself, or the child of no node before it'
  }
  if (column < 0 || column >= columns * COLUMN_BYTES || column % COLUMN_BYTES !== 0) {
    return `asks for the column at byte ${column}; there are ${columns} of ${COLUMN_BYTES} bytes`
  }
  return (
    `has a threshold that is no number, or no place among the nodes, which end before ${end} and must stand level by ` +
    `level: it names the children at byte ${words[at + CHILD_WORD]}`
  )
}

/** @throws ArtefactCorrupt unless every node lies in one tree */
export const readNodes = (sections: Sections): ForestNodes => {
  const roots = sections.int32('roots')
  const stored = sections.int32('nodes')
  // Thresholds are read as float64, which wants 8 bytes of alignment; arrays of a stored model have it.
  const words = stored.byteOffset % Float64Array.BYTES_PER_ELEMENT === 0 ? stored : stored.slice()
  const count = words.length / NODE_WORDS
  if (words.byteLength >= OFFSET_LIMIT)
    throw new ArtefactCorrupt(`a forest of ${count} nodes is too large to be scored`)
  if (!Number.isInteger(count)) throw new ArtefactCorrupt('the nodes of the forest end within a node')
  if (roots[0] !== 0) throw new ArtefactCorrupt('the forest has no tree that begins at node 0')
  const bounds = new Int32Array(roots.length + 1)
  bounds.set(roots)
  bounds[roots.length] = count
  for (let tree = 0; tree < roots.length; tree++) {
    if (bounds[tree + 1]! <= bounds[tree]!) {
      throw new ArtefactCorrupt(
        `tree ${tree} of the forest lies from node ${bounds[tree]} to ${bounds[tree + 1]}; each needs a node, in order`,
      )
    }
  }
  return { bounds, words, thresholds: new Float64Array(words.buffer, words.byteOffset, count * 2) }
}

/**
 * Checks what the nodes say, in one pass.
 * @param columns how many there are
 * @param leafRows rows of leaves
 * @throws ArtefactCorrupt
 */
export const checkNodes = (nodes: ForestNodes, columns: number, leafRows: number): void => {
  const { bounds, words, thresholds } = nodes
  for (let tree = 0; tree < treeCount(nodes); tree++) {
    const named = { root: bounds[tree]!, end: bounds[tree + 1]!, columns, leafRows }
    const node = checkTree(words, thresholds, named)
    if (node < named.end) {
      throw new ArtefactCorrupt(`node ${node} of the forest (tree ${tree}) ${describeFault(words, node, named)}`)
    }
  }
}

export const isLeaf = ({ words }: ForestNodes, node: number): boolean =>
  words[node * NODE_WORDS + MARK_WORD] === LEAF_MARK
