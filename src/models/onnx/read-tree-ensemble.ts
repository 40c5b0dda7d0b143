import type { NodeAttributes } from './node-attributes.ts'
import { OnnxRefused } from './onnx-refused.ts'
import type { Mode, TreeTable } from './tree-table.ts'

const modes = new Map<string, Mode>([
  ['LEAF', 'leaf'],
  ['BRANCH_LEQ', 'leq'],
  ['BRANCH_LT', 'lt'],
  ['BRANCH_GTE', 'gte'],
  ['BRANCH_GT', 'gt'],
  ['BRANCH_EQ', 'eq'],
  ['BRANCH_NEQ', 'neq'],
])

/** Most numbers in all leaves together. */
export const MAX_LEAF_NUMBERS = 2 ** 25

/** Where the nodes of one tree stand. Their ids usually count from 0, but need not: then `ids` tells the place of each. */
type TreePlaces = { readonly first: number; readonly end: number; readonly ids: ReadonlyMap<number, number> | null }

/** The place of a node in the table, or undefined if the tree has none with this id. */
const placeIn = ({ first, end, ids }: TreePlaces, id: number): number | undefined => {
  if (ids !== null) return ids.get(id)
  return id >= 0 && id < end - first ? first + id : undefined
}

/** @throws OnnxRefused if an id occurs twice */
const indexTree = (tree: number, first: number, end: number, nodeIds: readonly number[]): TreePlaces => {
  let counted = first
  while (counted < end && nodeIds[counted] === counted - first) counted++
  if (counted === end) return { first, end, ids: null }
  const ids = new Map<number, number>()
  for (let node = first; node < end; node++) {
    const id = nodeIds[node]!
    if (ids.has(id)) throw new OnnxRefused(`tree ${tree} has two nodes with id ${id}; export the forest again`)
    ids.set(id, node)
  }
  return { first, end, ids }
}

/** The trees in the order of the file; the nodes of each stand together, its root first. @throws OnnxRefused */
const indexNodes = (treeIds: readonly number[], nodeIds: readonly number[]): Map<number, TreePlaces> => {
  const trees = new Map<number, TreePlaces>()
  let first = 0
  for (let end = 1; end <= treeIds.length; end++) {
    const tree = treeIds[first]!
    if (treeIds[end] === tree) continue
    if (trees.has(tree)) {
      throw new OnnxRefused(`the nodes of tree ${tree} do not stand together; export the forest again`)
    }
    trees.set(tree, indexTree(tree, first, end, nodeIds))
    first = end
  }
  return trees
}

/**
 * Reads TreeEnsembleClassifier and TreeEnsembleRegressor of ai.onnx.ml 1 to 4.
 * @param prefix `class` or `target`: what the attributes of the leaves begin with
 * @param outputs classes or targets
 * @param maxNodes refused beyond
 * @throws OnnxRefused
 */
export const readTreeEnsemble = (
  attributes: NodeAttributes,
  prefix: 'class' | 'target',
  outputs: number,
  maxNodes: number,
): TreeTable => {
  const treeIds = attributes.integers('nodes_treeids')
  const nodes = treeIds.length
  if (nodes === 0) throw new OnnxRefused('the ensemble has no nodes; train and export it again')
  if (nodes > maxNodes)
    throw new OnnxRefused(`the ensemble has ${nodes} nodes, more than ${maxNodes}; train fewer trees`)
  const trees = indexNodes(treeIds, attributes.integers('nodes_nodeids', nodes))
  const trueIds = attributes.integers('nodes_truenodeids', nodes)
  const falseIds = attributes.integers('nodes_falsenodeids', nodes)
  const feature = attributes.integers('nodes_featureids', nodes)
  const threshold = Float64Array.from(attributes.numbers('nodes_values', nodes))
  const tracks = attributes.has('nodes_missing_value_tracks_true')
    ? attributes.integers('nodes_missing_value_tracks_true', nodes)
    : []

  const mode = attributes.texts('nodes_modes', nodes).map((name, node): Mode => {
    const known = modes.get(name)
    if (known === undefined) throw new OnnxRefused(`node ${node} has the mode '${name}'; export with ai.onnx.ml 1 to 3`)
    return known
  })
  const placeOf = (node: number, id: number): number => {
    if (mode[node] === 'leaf') return 0
    const place = placeIn(trees.get(treeIds[node]!)!, id)
    if (place === undefined) {
      throw new OnnxRefused(
        `node ${node} of the ensemble names node ${id} of its tree, which is not there; export it again`,
      )
    }
    return place
  }
  const whenTrue = Int32Array.from(trueIds, (id, node) => placeOf(node, id))
  const whenFalse = Int32Array.from(falseIds, (id, node) => placeOf(node, id))

  let leaves = 0
  const leafRow = Int32Array.from(mode, (name) => (name === 'leaf' ? leaves++ : -1))
  if (leaves * outputs > MAX_LEAF_NUMBERS) {
    throw new OnnxRefused(`${leaves} leaves of ${outputs} numbers are too many; train fewer or smaller trees`)
  }
  const weights = new Float64Array(leaves * outputs)
  const isGiven = new Uint8Array(leaves * outputs)
  const usedOutputs = new Set<number>()
  const ids = attributes.integers(`${prefix}_ids`)
  const weightTrees = attributes.integers(`${prefix}_treeids`, ids.length)
  const weightNodes = attributes.integers(`${prefix}_nodeids`, ids.length)
  const values = attributes.numbers(`${prefix}_weights`, ids.length)
  ids.forEach((output, i) => {
    const tree = trees.get(weightTrees[i]!)
    const node = tree && placeIn(tree, weightNodes[i]!)
    if (node === undefined || leafRow[node]! < 0) {
      throw new OnnxRefused(
        `weight ${i} belongs to node ${weightNodes[i]} of tree ${weightTrees[i]}, which is no leaf; export it again`,
      )
    }
    if (output < 0 || output >= outputs) {
      throw new OnnxRefused(`weight ${i} is for ${prefix} ${output} of ${outputs}; export the forest again`)
    }
    const at = leafRow[node]! * outputs + output
    if (isGiven[at] === 1)
      throw new OnnxRefused(`leaf ${node} has two weights for ${prefix} ${output}; export it again`)
    isGiven[at] = 1
    weights[at] = values[i]!
    usedOutputs.add(output)
  })

  return {
    roots: Int32Array.from(trees.values(), ({ first }) => first),
    unused: 0,
    mode,
    feature: Int32Array.from(feature, (id) => checkFeature(id)),
    threshold,
    whenTrue,
    whenFalse,
    missingTrue: Uint8Array.from({ length: nodes }, (_, node) => (tracks[node] === 1 ? 1 : 0)),
    members: new Map(),
    leafRow,
    weights,
    outputs,
    usedOutputs,
  }
}

/** An id that a 32-bit array holds. @throws OnnxRefused */
export const checkFeature = (id: number): number => {
  if (id < 0 || id >= 2 ** 31) throw new OnnxRefused(`there is no feature ${id}; export the forest again`)
  return id
}
