import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import type { ForestCombination } from './flat-forest.ts'
import { columnCount, readColumns } from './forest-columns.ts'
import { openKernelSum } from './forest-kernel-scorer.ts'
import { createCombination, readCombination, readLeaves } from './forest-leaves.ts'
import { checkNodes, readNodes, treeCount } from './forest-nodes.ts'
import { createWalk, type ForestParts, type SumLeaves } from './forest-walk.ts'

/**
 * The kernel fills every column for every row, and then takes steps; the walk takes only steps, each about eight times
 * as long. Filling a column takes as long as one or two of the kernel's steps, and a tree takes about ten.
 */
const MOST_COLUMNS_PER_TREE = 40

const readForest = (sections: Sections, shape: ModelShape): { parts: ForestParts; combine: ForestCombination } => {
  const { kind, columns: features, outputs } = shape
  const columns = readColumns(sections, features)
  const combine = readCombination(sections, outputs)
  // The kernel copies nodes and leaves into its own memory.
  const leaves = readLeaves(sections.borrowed, kind, outputs, combine)
  const nodes = readNodes(sections.borrowed)
  // No -0: then no sum is -0 either, and adding a zero changes no bit.
  const base =
    combine.rule === 'mean' ? new Float64Array(outputs) : Float64Array.from(combine.base, (value) => value + 0)
  return { parts: { nodes, columns, leaves, features, outputs, base }, combine }
}

/** Walks nodes and leaves of its own, which are checked. */
const openWalk = (parts: ForestParts): SumLeaves => {
  const words = parts.nodes.words.slice()
  const nodes = { ...parts.nodes, words, thresholds: new Float64Array(words.buffer) }
  checkNodes(nodes, columnCount(parts.columns), parts.leaves.length / parts.outputs)
  return createWalk({ ...parts, nodes, leaves: parts.leaves.slice() })
}

/**
 * Scores with a forest, in the sections of `packForest`. The outputs of a classifier are finite and sum to 1.
 * @throws ArtefactCorrupt
 */
export const openForest = (sections: Sections, shape: ModelShape): FamilyScorer => {
  const { parts, combine } = readForest(sections, shape)
  const trees = treeCount(parts.nodes)
  const suitsKernel = columnCount(parts.columns) <= MOST_COLUMNS_PER_TREE * trees
  const sum = (suitsKernel ? openKernelSum(parts) : null) ?? openWalk(parts)
  const finish = createCombination(shape.kind, shape.outputs, combine, trees)
  return (rows, from, count, out, at) => {
    sum(rows, from, count, out, at)
    finish(out, at, count)
  }
}
