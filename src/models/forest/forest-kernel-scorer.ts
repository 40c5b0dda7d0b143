import { ArtefactCorrupt } from '../model-errors.ts'
import { columnCount, fillCells } from './forest-columns.ts'
import type { ForestNodes } from './forest-nodes.ts'
import {
  COLUMN_BYTES,
  checkNodes,
  GROUP_ROWS,
  GROUP_TREES,
  LEAF_MARK,
  NODE_BITS,
  NODE_WORDS,
  treeCount,
} from './forest-nodes.ts'
import type { ForestParts, SumLeaves } from './forest-walk.ts'
import { openIntervalSum } from './interval-scorer.ts'
import { type ForestKernel, openKernel, TREE_BYTES, TREE_WORDS } from './kernel/forest-kernel.ts'
import { createLayout } from './kernel/kernel-layout.ts'
import { kernelMemories } from './kernel/kernel-memory.ts'

const FLOAT_BYTES = Float64Array.BYTES_PER_ELEMENT

/** The cells of a block stay in a core's first cache beside a tree, if a few groups of rows fit into it. */
const BLOCK_CELL_BYTES = 32_768
const MAX_BLOCK_GROUPS = 16

/**
 * After so many rows the masks of intervals are made, if they suit the forest. That takes as long as walking these
 * rows does; a model that scores only a few never pays for it.
 */
const ROWS_BEFORE_INTERVALS = 16_384

/** From so many rows on, walking a group costs less than walking each of them alone. */
const MIN_GROUP_ROWS = 9

/** Trees and trees of one leaf behind them, to whole groups. */
const wholeGroups = (trees: number): number => Math.ceil(trees / GROUP_TREES) * GROUP_TREES

/**
 * Writes the kernel's table of trees.
 * @param table `TREE_WORDS` for each of `wholeGroups`
 * @param emptyNode the leaf of the trees that fill up the last group
 */
const fillTreeTable = (table: Int32Array, { bounds }: ForestNodes, depths: Int32Array, emptyNode: number): void => {
  const trees = depths.length
  for (let group = 0; group < trees; group += GROUP_TREES) {
    // A walk takes a step at least; a leaf leads to itself.
    const deepest = depths.subarray(group, group + GROUP_TREES).reduce((a, b) => Math.max(a, b), 1)
    for (let tree = group; tree < group + GROUP_TREES; tree++) {
      const root = tree < trees ? bounds[tree]! : emptyNode
      table.set([root << NODE_BITS, Math.max(1, depths[tree] ?? 1), deepest], tree * TREE_WORDS)
    }
  }
}

/** The depth of each tree in the kernel's memory. @throws ArtefactCorrupt if a node is at fault */
const measureTrees = (kernel: ForestKernel, { nodes, columns, leaves, outputs }: ForestParts): Int32Array => {
  const { bounds } = nodes
  const leafRows = leaves.length / outputs
  const columnsBytes = columnCount(columns) * COLUMN_BYTES
  const depths = new Int32Array(treeCount(nodes))
  for (let tree = 0; tree < depths.length; tree++) {
    const [root, end] = [bounds[tree]! << NODE_BITS, bounds[tree + 1]! << NODE_BITS]
    depths[tree] = kernel.checkTree(root, end, columnsBytes, leafRows)
    if (depths[tree]! >= 0) continue
    checkNodes(nodes, columnCount(columns), leafRows)
    throw new ArtefactCorrupt(`tree ${tree} of the forest is at fault`)
  }
  return depths
}

/**
 * Scores through the kernel: nodes and leaves are copied into its memory as they are; rows are spread into cells, block
 * by block. A row gives the same bits alone and in any block, because leaves are added in the order of the trees.
 * @returns null where there is no memory for it
 * @throws ArtefactCorrupt if a node is at fault
 */
export const openKernelSum = (forest: ForestParts): SumLeaves | null => {
  const { nodes, columns, leaves, features, outputs, base } = forest
  const { words } = nodes
  const trees = treeCount(nodes)
  const emptyNode = words.length / NODE_WORDS
  const groupBytes = Math.max(1, columnCount(columns)) * COLUMN_BYTES
  const groups = Math.min(MAX_BLOCK_GROUPS, Math.max(1, Math.floor(BLOCK_CELL_BYTES / groupBytes)))
  const blockRows = groups * GROUP_ROWS

  const layout = createLayout()
  const nodesAt = layout.take(words.byteLength + NODE_WORDS * words.BYTES_PER_ELEMENT)
  const leavesAt = layout.take(leaves.byteLength + outputs * FLOAT_BYTES)
  const treesAt = layout.take(wholeGroups(trees) * TREE_BYTES)
  const cellsAt = layout.take(groups * groupBytes)
  const sumsAt = layout.take(blockRows * outputs * FLOAT_BYTES)
  const memory = kernelMemories.take(layout.bytes())
  if (memory === null) return null

  const { buffer } = memory
  const memoryWords = new Int32Array(buffer, nodesAt, words.length + NODE_WORDS)
  memoryWords.set(words)
  // The leaf of the trees without nodes names the row of zeros behind the leaves.
  memoryWords.set([leaves.length / outputs, LEAF_MARK, emptyNode << NODE_BITS, 0], words.length)
  const memoryLeaves = new Float64Array(buffer, leavesAt, leaves.length + outputs)
  memoryLeaves.set(leaves)
  memoryLeaves.fill(0, leaves.length)
  const cells = new Float64Array(buffer, cellsAt, (groups * groupBytes) / FLOAT_BYTES)
  const sums = new Float64Array(buffer, sumsAt, blockRows * outputs)
  const kernel = openKernel(outputs, memory)
  const table = new Int32Array(buffer, treesAt, wholeGroups(trees) * TREE_WORDS)
  const depths = measureTrees(kernel, forest)
  fillTreeTable(table, nodes, depths, emptyNode)
  const treesEnd = treesAt + trees * TREE_BYTES
  const treeGroupsEnd = treesAt + table.byteLength

  const sumRow: SumLeaves = (rows, from, _count, out, at) => {
    fillCells(columns, features, rows, from, 1, cells)
    for (let o = 0; o < outputs; o++) sums[o] = base[o]!
    kernel.addRow(treesAt, treeGroupsEnd, cellsAt, leavesAt, sumsAt)
    for (let o = 0; o < outputs; o++) out[at + o] = sums[o]!
  }

  const sumBlock: SumLeaves = (rows, from, count, out, at) => {
    fillCells(columns, features, rows, from, count, cells)
    // What stands in the cells beyond the last row is walked as well, and its sums are not read.
    const walked = Math.ceil(count / GROUP_ROWS)
    for (let row = 0; row < count * outputs; row += outputs) {
      for (let o = 0; o < outputs; o++) sums[row + o] = base[o]!
    }
    kernel.addGroups(treesAt, treesEnd, cellsAt, cellsAt + walked * groupBytes, groupBytes, leavesAt, sumsAt)
    for (let o = 0; o < count * outputs; o++) out[at + o] = sums[o]!
  }

  // The nodes and leaves of the kernel's memory: others may be gone by then.
  const ownWords = memoryWords.subarray(0, words.length)
  const ownNodes = { ...nodes, words: ownWords, thresholds: new Float64Array(buffer, nodesAt, words.length / 2) }
  const own = { ...forest, nodes: ownNodes, leaves: memoryLeaves.subarray(0, leaves.length) }
  let rowsUntilIntervals = ROWS_BEFORE_INTERVALS
  let sumIntervals: SumLeaves | null = null

  const sum: SumLeaves = (rows, from, count, out, at) => {
    if (sumIntervals === null && rowsUntilIntervals > 0) {
      rowsUntilIntervals -= count
      if (rowsUntilIntervals <= 0) sumIntervals = openIntervalSum(own, depths)
    }
    if (sumIntervals !== null) {
      sumIntervals(rows, from, count, out, at)
      return
    }
    let row = 0
    for (; count - row >= MIN_GROUP_ROWS; row += blockRows) {
      sumBlock(rows, from + row * features, Math.min(blockRows, count - row), out, at + row * outputs)
    }
    for (; row < count; row++) sumRow(rows, from + row * features, 1, out, at + row * outputs)
  }
  kernelMemories.giveBackAfter(sum, memory)
  return sum
}
