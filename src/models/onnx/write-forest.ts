import type { ModelKind } from '../candidate.ts'
import { CATEGORY_WORDS, type FlatForest, LEAF } from '../forest/flat-forest.ts'
import { type GraphBuilder, numberTensor } from './graph-builder.ts'
import { ELEMENT, ML_DOMAIN } from './onnx-model.ts'
import { ExportRefused } from './onnx-refused.ts'
import { writeLogLogistic, writeSoftmax } from './write-softmax.ts'

/** The ensemble operator sums in float64 and gives float32, which holds whole numbers up to this exactly. */
const FLOAT_EXACT = 2 ** 24
const FLOAT_LIMIT = 1e37

const CODES = CATEGORY_WORDS * 32

/** Adds whether each value is a whole number from 0 to below its limit. */
const writeIsCode = (graph: GraphBuilder, values: string, limits: string): string => {
  const isWhole = graph.apply('Equal', [graph.apply('Floor', [values]), values])
  const isLeast = graph.apply('GreaterOrEqual', [values, graph.numbers([0], [])])
  return graph.apply('And', [isWhole, graph.apply('And', [isLeast, graph.apply('Less', [values, limits])])])
}

/** Adds NaN in place of codes that are no category's, as `hideUnknownCategories` does. */
const writeKnown = (graph: GraphBuilder, input: string, counts: readonly number[]): string => {
  if (counts.every((count) => count === 0)) return input
  const dims = [1, counts.length]
  const isNumber = graph.bytes(
    Uint8Array.from(counts, (count) => (count === 0 ? 1 : 0)),
    dims,
  )
  const isCode = writeIsCode(graph, input, graph.numbers(counts, dims))
  const isKnown = graph.apply('Or', [graph.apply('Cast', [isNumber], { to: ELEMENT.bool }), isCode])
  return graph.apply('Where', [isKnown, input, graph.numbers([Number.NaN], [])])
}

/**
 * Adds a column per category set, 0 where a row's category goes left and 1 where it goes right, looked up by the
 * category's code; the last entry of a set's table is for what is no code. So the trees need no comparison but `<=`.
 */
const writeSets = (
  graph: GraphBuilder,
  input: string,
  forest: FlatForest,
): { rows: string; columnOf: Map<number, number> } => {
  const { feature, categorySet, categoryWords, missingLeft } = forest
  const keys = new Map<string, number>()
  const columnOf = new Map<number, number>()
  const features: number[] = []
  const table: number[] = []
  categorySet.forEach((set, node) => {
    if (set < 0 || feature[node] === LEAF) return
    const key = `${feature[node]}:${set}:${missingLeft[node]}`
    const known = keys.get(key)
    columnOf.set(node, known ?? features.length)
    if (known !== undefined) return
    keys.set(key, features.length)
    features.push(feature[node]!)
    for (let code = 0; code < CODES; code++) table.push(1 - ((categoryWords[set + (code >> 5)]! >>> (code & 31)) & 1))
    table.push(1 - missingLeft[node]!)
  })
  const sets = features.length
  if (sets === 0) return { rows: input, columnOf }

  const values = graph.apply('Gather', [input, graph.integers(features, [sets])], { axis: 1 })
  const isCode = writeIsCode(graph, values, graph.numbers([CODES], []))
  const codes = graph.apply('Where', [isCode, values, graph.numbers([CODES], [])])
  const starts = graph.integers(
    Int32Array.from(features, (_, set) => set * (CODES + 1)),
    [1, sets],
  )
  const places = graph.apply('Add', [graph.apply('Cast', [codes], { to: ELEMENT.int64 }), starts])
  const sides = graph.apply('Gather', [graph.bytes(table, [table.length]), places], { axis: 0 })
  const asNumbers = graph.apply('Cast', [sides], { to: ELEMENT.double })
  return { rows: graph.apply('Concat', [input, asNumbers], { axis: 1 }), columnOf }
}

/** Tree and place in the tree of each node. */
const placeNodes = ({ roots, feature }: FlatForest): { tree: Int32Array; place: Int32Array } => {
  const tree = new Int32Array(feature.length)
  const place = new Int32Array(feature.length)
  const starts = Int32Array.from(roots).sort()
  for (let node = 0, next = 0; node < feature.length; node++) {
    if (node === starts[next]) next++
    tree[node] = next - 1
    place[node] = node - starts[next - 1]!
  }
  return { tree, place }
}

/**
 * Adds the trees as one TreeEnsembleRegressor. Each number of a leaf is written in two parts, a coarse one that is a
 * multiple of a power of two, so that its sum over the trees is exact in float32, and the rest, of which float32 loses
 * little. Their sum in float64 is within about 1e-13 of the sum of the leaves, relative to the greatest.
 * @returns float64, `rows * outputs`: the sums of the leaves
 */
const writeTrees = (
  graph: GraphBuilder,
  rows: string,
  features: number,
  forest: FlatForest,
  columnOf: Map<number, number>,
): string => {
  const { outputs, roots, feature, threshold, left, right, missingLeft, leaves } = forest
  const { tree, place } = placeNodes(forest)
  const greatest = leaves.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * roots.length
  if (greatest > FLOAT_LIMIT) {
    throw new ExportRefused(
      `the trees sum up to ${greatest}, which float32 cannot hold; rescale the target and train again`,
    )
  }
  const grain = greatest === 0 ? 1 : 2 ** Math.ceil(Math.log2(greatest)) / FLOAT_EXACT
  const targetNodes: number[] = []
  const targetTrees: number[] = []
  const targetIds: number[] = []
  const targetWeights: number[] = []
  feature.forEach((column, node) => {
    if (column !== LEAF) return
    const add = (target: number, weight: number): void => {
      targetNodes.push(place[node]!)
      targetTrees.push(tree[node]!)
      targetIds.push(target)
      targetWeights.push(weight)
    }
    for (let output = 0; output < outputs; output++) {
      const value = leaves[left[node]! * outputs + output]!
      const coarse = Math.round(value / grain) * grain
      // Every leaf has one weight at least, as some runtimes expect.
      if (coarse !== 0 || output === 0) add(output, coarse)
      if (value !== coarse) add(outputs + output, value - coarse)
    }
  })
  const isLeaf = (node: number): boolean => feature[node] === LEAF
  const childPlaces = (child: Int32Array): number[] => Array.from(child, (to, node) => (isLeaf(node) ? 0 : place[to]!))
  const parts = graph.apply(
    'TreeEnsembleRegressor',
    [rows],
    {
      n_targets: 2 * outputs,
      nodes_treeids: [...tree],
      nodes_nodeids: [...place],
      nodes_featureids: Array.from(feature, (column, node) => {
        const set = columnOf.get(node)
        return set === undefined ? Math.max(0, column) : features + set
      }),
      nodes_modes: Array.from(feature, (column) => (column === LEAF ? 'LEAF' : 'BRANCH_LEQ')),
      nodes_values_as_tensor: numberTensor(threshold),
      nodes_truenodeids: childPlaces(left),
      nodes_falsenodeids: childPlaces(right),
      nodes_missing_value_tracks_true: Array.from(missingLeft, (side, node) => (columnOf.has(node) ? 0 : side)),
      target_ids: targetIds,
      target_nodeids: targetNodes,
      target_treeids: targetTrees,
      target_weights_as_tensor: numberTensor(targetWeights),
    },
    ML_DOMAIN,
  )
  const exact = graph.apply('Cast', [parts], { to: ELEMENT.double })
  const half = (first: number): string => {
    const ids = Int32Array.from({ length: outputs }, (_, output) => first + output)
    return graph.apply('Gather', [exact, graph.integers(ids, [outputs])], { axis: 1 })
  }
  return graph.apply('Add', [half(0), half(outputs)])
}

/** Divides rows by their sums; a row for which nothing speaks gives all classes the same. */
const writeShares = (graph: GraphBuilder, weights: string, classes: number): string => {
  const sum = graph.apply('ReduceSum', [weights, graph.integers([1], [1])], { keepdims: 1 })
  const isPositive = graph.apply('Greater', [sum, graph.numbers([0], [])])
  const shares = graph.apply('Div', [weights, sum])
  return graph.apply('Where', [isPositive, shares, graph.numbers([1 / classes], [])])
}

/**
 * Adds a forest: its trees, and what becomes of their leaves.
 * @param input float64, `rows * features`: values, codes of categories, NaN where missing
 * @param counts categories of each feature, 0 for a number
 * @returns float64, `rows * outputs`
 * @throws ExportRefused
 */
export const writeForest = (
  graph: GraphBuilder,
  input: string,
  counts: readonly number[],
  forest: FlatForest,
  kind: ModelKind,
): string => {
  const { rows, columnOf } = writeSets(graph, writeKnown(graph, input, counts), forest)
  const sums = writeTrees(graph, rows, counts.length, forest, columnOf)
  const { combine, outputs, roots } = forest
  if (combine.rule === 'mean') return graph.apply('Div', [sums, graph.numbers([roots.length], [])])
  const total = graph.apply('Add', [sums, graph.numbers(combine.base, [1, outputs])])
  if (combine.transform === 'softmax') return writeSoftmax(graph, total)
  if (combine.transform === 'none') return kind === 'classification' ? writeShares(graph, total, outputs) : total
  const logs = writeLogLogistic(graph, total)
  return kind === 'classification' ? writeSoftmax(graph, logs) : graph.apply('Exp', [logs])
}
