import type { NodeAttributes } from './node-attributes.ts'
import { OnnxRefused } from './onnx-refused.ts'
import { checkFeature, MAX_LEAF_NUMBERS } from './read-tree-ensemble.ts'
import type { Mode, TreeTable } from './tree-table.ts'

/** By their numbers in `nodes_modes`. */
const MODES_BY_NUMBER: readonly Mode[] = ['leq', 'lt', 'gte', 'gt', 'eq', 'neq', 'member']

/** The sets of the member nodes stand one after another, NaN between them. */
const readMembers = (mode: readonly Mode[], values: ArrayLike<number>): Map<number, number[]> => {
  const members = new Map<number, number[]>()
  let at = 0
  mode.forEach((name, node) => {
    if (name !== 'member') return
    const set: number[] = []
    for (; at < values.length && !Number.isNaN(values[at]!); at++) set.push(values[at]!)
    at++
    if (set.length === 0)
      throw new OnnxRefused(`node ${node} asks for a member of an empty set; export the forest again`)
    members.set(node, set)
  })
  return members
}

/**
 * Reads TreeEnsemble of ai.onnx.ml 5, whose leaves are apart from the nodes: here each becomes a node of its own, at
 * the end. A tree that is one leaf is written as a node with the same leaf on both sides; it becomes that leaf.
 * @throws OnnxRefused
 */
export const readTreeEnsemble5 = (attributes: NodeAttributes, maxNodes: number): TreeTable => {
  const features = attributes.integers('nodes_featureids')
  const inner = features.length
  const leafTargets = attributes.integers('leaf_targetids')
  const leaves = leafTargets.length
  const outputs = attributes.integer('n_targets', 1)
  if (inner + leaves === 0) throw new OnnxRefused('the ensemble has no nodes; train and export it again')
  if (inner + leaves > maxNodes) {
    throw new OnnxRefused(`the ensemble has ${inner + leaves} nodes, more than ${maxNodes}; train fewer trees`)
  }
  if (outputs < 1 || outputs * leaves > MAX_LEAF_NUMBERS) {
    throw new OnnxRefused(`${leaves} leaves of ${outputs} numbers are too many; train fewer or smaller trees`)
  }
  const splits = attributes.numbers('nodes_splits', inner)
  const leafWeights = attributes.numbers('leaf_weights', leaves)
  const roots = attributes.integers('tree_roots')
  const tracks = attributes.has('nodes_missing_value_tracks_true')
    ? attributes.integers('nodes_missing_value_tracks_true', inner)
    : []

  const modes = Array.from(attributes.numbers('nodes_modes', inner), (number): Mode => {
    const name = MODES_BY_NUMBER[number]
    if (name === undefined) throw new OnnxRefused(`there is no mode ${number} of nodes; export the forest again`)
    return name
  })
  const members = readMembers(modes, attributes.numbers('membership_values'))
  const children = (side: 'true' | 'false'): Int32Array => {
    const ids = attributes.integers(`nodes_${side}nodeids`, inner)
    const isLeaf = attributes.integers(`nodes_${side}leafs`, inner)
    return Int32Array.from({ length: inner + leaves }, (_, node) => {
      if (node >= inner) return 0
      const id = ids[node]!
      const count = isLeaf[node] === 1 ? leaves : inner
      if (id < 0 || id >= count) throw new OnnxRefused(`node ${node} names child ${id} of ${count}; export it again`)
      return isLeaf[node] === 1 ? inner + id : id
    })
  }
  const whenTrue = children('true')
  const whenFalse = children('false')

  const weights = new Float64Array(leaves * outputs)
  leafTargets.forEach((target, leaf) => {
    if (target < 0 || target >= outputs) {
      throw new OnnxRefused(`leaf ${leaf} is for target ${target} of ${outputs}; export the forest again`)
    }
    weights[leaf * outputs + target] = leafWeights[leaf]!
  })
  const total = inner + leaves
  let unused = 0
  const firstNodes = Int32Array.from(roots, (root) => {
    if (root < 0 || root >= inner)
      throw new OnnxRefused(`there is no root ${root} among ${inner} nodes; export it again`)
    if (whenTrue[root] !== whenFalse[root]) return root
    unused++
    return whenTrue[root]!
  })
  return {
    roots: firstNodes,
    unused,
    mode: Array.from({ length: total }, (_, node) => modes[node] ?? 'leaf'),
    feature: Int32Array.from({ length: total }, (_, node) => (node < inner ? checkFeature(features[node]!) : 0)),
    threshold: Float64Array.from({ length: total }, (_, node) => (modes[node] === 'member' ? 0 : (splits[node] ?? 0))),
    whenTrue,
    whenFalse,
    missingTrue: Uint8Array.from({ length: total }, (_, node) => (tracks[node] === 1 ? 1 : 0)),
    members,
    leafRow: Int32Array.from({ length: total }, (_, node) => (node < inner ? -1 : node - inner)),
    weights,
    outputs,
    usedOutputs: new Set(leafTargets),
  }
}
