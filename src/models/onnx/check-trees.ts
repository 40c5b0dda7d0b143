import { OnnxRefused } from './onnx-refused.ts'
import type { TreeTable } from './tree-table.ts'

/** No tree that learnt from data is deeper; a longer way would hold up the scoring of every row. */
const MAX_DEPTH = 1000

const checkNumbers = ({ mode, threshold, weights }: TreeTable): void => {
  const node = threshold.findIndex((value, at) => mode[at] !== 'leaf' && !Number.isFinite(value))
  if (node >= 0) {
    throw new OnnxRefused(`node ${node} compares with ${threshold[node]}; train the forest with finite thresholds`)
  }
  const weight = weights.findIndex((value) => !Number.isFinite(value))
  if (weight >= 0) throw new OnnxRefused(`a leaf has the weight ${weights[weight]}; train the forest on finite values`)
}

/**
 * Checks that the nodes are trees, each of them in exactly one: no node has two parents, none is its own ancestor,
 * none is left over. One pass, however the nodes point at each other.
 * @param columns features that a row has
 * @throws OnnxRefused
 */
export const checkTrees = (table: TreeTable, columns: number): void => {
  const { roots, unused, mode, feature, whenTrue, whenFalse } = table
  if (roots.length === 0) throw new OnnxRefused('the ensemble has no trees; train and export it again')
  checkNumbers(table)
  const nodes = mode.length
  const isSeen = new Uint8Array(nodes)
  let seen = 0
  const stack: [node: number, depth: number][] = []
  for (const root of roots) {
    stack.push([root, 0])
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const [node, depth] = next
      if (isSeen[node] === 1) {
        throw new OnnxRefused(
          `node ${node} of the ensemble is reached in two ways, so this is no tree; export it again`,
        )
      }
      isSeen[node] = 1
      seen++
      if (mode[node] === 'leaf') continue
      if (feature[node]! >= columns) {
        throw new OnnxRefused(
          `node ${node} asks for feature ${feature[node]} of ${columns}; give all features in their order`,
        )
      }
      if (depth >= MAX_DEPTH)
        throw new OnnxRefused(`a tree is deeper than ${MAX_DEPTH} splits; train it with a maximal depth`)
      stack.push([whenFalse[node]!, depth + 1], [whenTrue[node]!, depth + 1])
    }
  }
  if (seen !== nodes - unused) {
    throw new OnnxRefused(`${nodes - unused - seen} nodes of the ensemble are in no tree; export the forest again`)
  }
}
