import { ArtefactCorrupt, FitFailed } from '../model-errors.ts'
import type { NamedArray, Sections } from '../sections.ts'
import { CATEGORY_WORDS, type FlatForest, LEAF } from './flat-forest.ts'
import { columnCount, type ForestColumns, readColumns } from './forest-columns.ts'
import { packCombination, readCombination } from './forest-leaves.ts'
import {
  CHILD_WORD,
  COLUMN_BYTES,
  COLUMN_WORD,
  checkNodes,
  isLeaf,
  LEAF_MARK,
  LEAF_ROW_WORD,
  MARK_WORD,
  NODE_BITS,
  NODE_BYTES,
  NODE_WORDS,
  OFFSET_LIMIT,
  readNodes,
} from './forest-nodes.ts'
import { shareLeaves } from './share-leaves.ts'

/** A node's category set as text: the same for sets that send every category the same way. */
const setKey = ({ feature, missingLeft, categorySet, categoryWords }: FlatForest, node: number): string => {
  const first = categorySet[node]!
  return `${feature[node]}:${missingLeft[node]}:${categoryWords.subarray(first, first + CATEGORY_WORDS)}`
}

/** The columns that the splits of a forest ask for, and the column of each node; both whatever the nodes' order. */
const columnsOf = (forest: FlatForest): { columns: ForestColumns; columnOf: Int32Array } => {
  const { feature, missingLeft, categorySet, categoryWords } = forest
  const right = new Set<number>()
  const left = new Set<number>()
  /** A node that has the set, by the set's key. */
  const sets = new Map<string, number>()
  const keys = new Map<number, string>()
  feature.forEach((column, node) => {
    if (column === LEAF) return
    if (categorySet[node]! < 0) {
      const seen = missingLeft[node] === 1 ? left : right
      seen.add(column)
      return
    }
    const key = setKey(forest, node)
    keys.set(node, key)
    sets.set(key, node)
  })
  const rightFeatures = Int32Array.from(right).sort()
  const leftFeatures = Int32Array.from(left).sort()
  const setKeys = [...sets.keys()].sort()
  const setNodes = setKeys.map((key) => sets.get(key)!)
  const wordsOf = (node: number): Int32Array =>
    categoryWords.subarray(categorySet[node]!, categorySet[node]! + CATEGORY_WORDS)

  const firstLeft = rightFeatures.length
  const firstSet = firstLeft + leftFeatures.length
  const rightAt = new Map(Array.from(rightFeatures, (column, i) => [column, i]))
  const leftAt = new Map(Array.from(leftFeatures, (column, i) => [column, firstLeft + i]))
  const setAt = new Map(setKeys.map((key, i) => [key, firstSet + i]))
  return {
    columns: {
      right: rightFeatures,
      left: leftFeatures,
      sets: Int32Array.from(setNodes, (node) => feature[node]!),
      setMissingLeft: Uint8Array.from(setNodes, (node) => missingLeft[node]!),
      setWords: Int32Array.from(setNodes.flatMap((node) => [...wordsOf(node)])),
    },
    columnOf: feature.map((column, node) => {
      if (column === LEAF) return 0
      if (categorySet[node]! >= 0) return setAt.get(keys.get(node)!)!
      return (missingLeft[node] === 1 ? leftAt : rightAt).get(column)!
    }),
  }
}

/** The nodes in the order in which they are stored, tree by tree, each tree level by level, right children first. */
const orderNodes = ({ roots, feature, left, right }: FlatForest): { order: Int32Array; starts: Int32Array } => {
  const order = new Int32Array(feature.length)
  const starts = new Int32Array(roots.length)
  let end = 0
  const append = (node: number): void => {
    if (end === order.length) throw new TypeError('a node of the forest is the child of two others')
    order[end++] = node
  }
  roots.forEach((root, tree) => {
    starts[tree] = end
    append(root)
    for (let at = starts[tree]!; at < end; at++) {
      const node = order[at]!
      if (feature[node] === LEAF) continue
      append(right[node]!)
      append(left[node]!)
    }
  })
  return { order: order.subarray(0, end), starts }
}

/**
 * The arrays in which a forest is stored and scored:
 * - `roots` int32: index of each tree's first node.
 * - `nodes` int32: 4 words a node, the layout of `forest-nodes.ts`; children after their parents.
 * - `cover` float64: one per node.
 * - `leaves` float64: `rows * outputs`, no row twice.
 * - `right_features`, `left_features`, `set_features` int32, `set_missing_left` uint8, `set_words` int32: the columns
 *   that nodes ask for, see `ForestColumns`.
 * - `combine` int32: 0 for the mean of the leaves, 1 for their sum, 2 its softmax, 3 its logistic function;
 *   `base` float64: what the sum begins with, one per output; none for the mean.
 *
 * The trees must be sound: a node is the child of one other.
 * @throws FitFailed if the forest is too large for 32-bit offsets
 */
export const packForest = (forest: FlatForest): NamedArray[] => {
  const { feature, threshold, left, categorySet } = forest
  const { columns, columnOf } = columnsOf(forest)
  const { leaves, rowOf } = shareLeaves(forest.leaves, forest.outputs)
  const { order, starts } = orderNodes(forest)
  const bytes = Math.max(order.length * NODE_BYTES, columnCount(columns) * COLUMN_BYTES, leaves.byteLength)
  if (bytes >= OFFSET_LIMIT) {
    throw new FitFailed(`a forest of ${order.length} nodes is too large to be stored; use fewer or shallower trees`)
  }
  const words = new Int32Array(order.length * NODE_WORDS)
  const thresholds = new Float64Array(words.buffer)
  const cover = new Float64Array(order.length)
  let nextChild = 0
  let tree = 0
  order.forEach((node, place) => {
    if (place === starts[tree]) {
      tree++
      nextChild = place + 1
    }
    const at = place * NODE_WORDS
    cover[place] = forest.cover[node]!
    if (feature[node] === LEAF) {
      words[at + LEAF_ROW_WORD] = rowOf[left[node]!]!
      words[at + MARK_WORD] = LEAF_MARK
      words[at + CHILD_WORD] = place << NODE_BITS
      return
    }
    thresholds[place * 2] = categorySet[node]! >= 0 ? 0 : threshold[node]!
    words[at + CHILD_WORD] = nextChild << NODE_BITS
    words[at + COLUMN_WORD] = columnOf[node]! * COLUMN_BYTES
    nextChild += 2
  })
  const { rule, base } = packCombination(forest.combine)
  return [
    { name: 'roots', values: starts },
    { name: 'nodes', values: words },
    { name: 'cover', values: cover },
    { name: 'leaves', values: leaves },
    { name: 'right_features', values: columns.right },
    { name: 'left_features', values: columns.left },
    { name: 'set_features', values: columns.sets },
    { name: 'set_missing_left', values: columns.setMissingLeft },
    { name: 'set_words', values: columns.setWords },
    { name: 'combine', values: rule },
    { name: 'base', values: base },
  ]
}

const checkCover = (cover: Float64Array): void => {
  for (let node = 0; node < cover.length; node++) {
    if (cover[node]! < 0) throw new ArtefactCorrupt(`node ${node} of the forest covers ${cover[node]} rows`)
  }
}

/**
 * The forest that `packForest` packed, its nodes in the order in which they are stored: level by level, the right child
 * before the left, and equal rows of leaves being one. Thresholds, covers, category sets, the leaves' values and their
 * combination are exactly the same.
 * @throws ArtefactCorrupt
 */
export const flatForestOf = (sections: Sections, shape: { columns: number; outputs: number }): FlatForest => {
  const { outputs } = shape
  const columns = readColumns(sections, shape.columns)
  const combine = readCombination(sections, outputs)
  const leaves = sections.float64('leaves')
  if (leaves.length % outputs !== 0) {
    throw new ArtefactCorrupt(`section 'leaves' has ${leaves.length} elements: no rows of ${outputs} outputs`)
  }
  const nodes = readNodes(sections)
  checkNodes(nodes, columnCount(columns), leaves.length / outputs)
  const { words, thresholds } = nodes
  const roots = nodes.bounds.slice(0, -1)
  const count = words.length / NODE_WORDS
  const cover = sections.float64('cover', count)
  checkCover(cover)
  const firstSet = columns.right.length + columns.left.length
  const features = [...columns.right, ...columns.left, ...columns.sets]
  const forest = {
    ...{ outputs, roots, leaves, combine, cover, categoryWords: columns.setWords },
    feature: new Int32Array(count).fill(LEAF),
    threshold: new Float64Array(count),
    left: new Int32Array(count),
    right: new Int32Array(count),
    missingLeft: new Uint8Array(count),
    categorySet: new Int32Array(count).fill(-1),
  }
  for (let node = 0; node < count; node++) {
    const at = node * NODE_WORDS
    if (isLeaf(nodes, node)) {
      forest.left[node] = words[at + LEAF_ROW_WORD]!
      continue
    }
    const column = words[at + COLUMN_WORD]! / COLUMN_BYTES
    const set = column - firstSet
    forest.feature[node] = features[column]!
    forest.right[node] = words[at + CHILD_WORD]! >> NODE_BITS
    forest.left[node] = forest.right[node]! + 1
    if (set >= 0) {
      forest.categorySet[node] = set * CATEGORY_WORDS
      forest.missingLeft[node] = columns.setMissingLeft[set]!
    } else {
      forest.threshold[node] = thresholds[node * 2]!
      forest.missingLeft[node] = column >= columns.right.length ? 1 : 0
    }
  }
  return forest
}
