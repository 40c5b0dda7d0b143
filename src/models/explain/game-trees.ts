import { type FlatForest, LEAF } from '../forest/flat-forest.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import { ModelNotExplainable } from './model-not-explainable.ts'

/**
 * A forest laid out for its Shapley values: nodes of a tree in preorder, so that a left child is the node after its
 * parent, one tree after another. An edge is named by the node that it leads to. One element per node.
 */
export type GameTrees = {
  /** First node of each tree, and the number of all nodes at the end. */
  readonly starts: Int32Array
  /** The node of the forest that each node is. */
  readonly source: Int32Array
  /** The feature that is asked for, or `LEAF`. */
  readonly feature: Int32Array
  /** The right child. */
  readonly right: Int32Array
  /** The nearest edge above the node that belongs to the same feature as the node's own split, or -1. */
  readonly sameFeature: Int32Array
  /** Share of the parent's training rows that took the edge. */
  readonly ratio: Float64Array
  /** The same, times the ratios of all edges above that belong to the same feature. */
  readonly share: Float64Array
  /** Most different features on a way from root to leaf. */
  readonly longestWay: number
  /** Most splits on a way from root to leaf. */
  readonly depth: number
  /** Nodes of the largest tree. */
  readonly largestTree: number
}

const checkChild = (forest: FlatForest, node: number, child: number): void => {
  if (child <= node || child >= forest.feature.length) {
    throw new ArtefactCorrupt(`node ${node} of the forest has child ${child}: it must come after it`)
  }
}

const checkNode = (forest: FlatForest, node: number, columns: number): void => {
  const feature = forest.feature[node]!
  if (feature === LEAF) {
    const leaf = forest.left[node]!
    if (leaf >= 0 && (leaf + 1) * forest.outputs <= forest.leaves.length) return
    throw new ArtefactCorrupt(`leaf ${node} of the forest names row ${leaf} of its leaves`)
  }
  if (feature < 0 || feature >= columns) {
    throw new ArtefactCorrupt(`node ${node} of the forest asks for feature ${feature} of ${columns}`)
  }
  checkChild(forest, node, forest.left[node]!)
  checkChild(forest, node, forest.right[node]!)
}

/** Shares of the rows at a node that went left and right; half each where none came. */
const ratiosAt = ({ cover, left, right }: FlatForest, node: number): [left: number, right: number] => {
  const toLeft = cover[left[node]!]!
  const toRight = cover[right[node]!]!
  const all = toLeft + toRight
  if (!(toLeft >= 0 && toRight >= 0 && Number.isFinite(all))) {
    throw new ArtefactCorrupt(`node ${node} of the forest has children with the weights ${toLeft} and ${toRight}`)
  }
  return all === 0 ? [0.5, 0.5] : [toLeft / all, toRight / all]
}

/** Refuses a tree of which is not known how many rows went which way. */
const checkCover = ({ feature, cover, left, right }: FlatForest, root: number, tree: number): void => {
  if (feature[root] === LEAF || cover[left[root]!]! + cover[right[root]!]! > 0) return
  throw new ModelNotExplainable(
    `tree ${tree} of the forest does not tell how many training rows came to its nodes, as forests from elsewhere may; ` +
      'SHAP values need these counts, which forests trained here have',
  )
}

/** What is known of the way from the root of a tree to the node that is placed last. */
type Way = {
  /** Walks back up and then takes the edge by `feature` to `node`, so that this becomes edge number `depth` of the way. */
  readonly take: (feature: number, node: number, depth: number) => void
  readonly restart: () => void
  /** The last edge of a feature on the way, or -1. */
  readonly lastEdge: (feature: number) => number
  readonly differentFeatures: () => number
}

const createWay = (columns: number): Way => {
  const last = new Int32Array(columns).fill(-1)
  const taken: { feature: number; before: number }[] = []
  let different = 0

  const walkUp = (edges: number): void => {
    while (taken.length > edges) {
      const { feature, before } = taken.pop()!
      last[feature] = before
      if (before < 0) different--
    }
  }
  return {
    take: (feature, node, depth) => {
      walkUp(depth - 1)
      const before = last[feature]!
      taken.push({ feature, before })
      last[feature] = node
      if (before < 0) different++
    },
    restart: () => walkUp(0),
    lastEdge: (feature) => last[feature]!,
    differentFeatures: () => different,
  }
}

type Waiting = {
  readonly source: number
  readonly parent: number
  readonly isRight: boolean
  readonly ratio: number
  readonly depth: number
}

/**
 * @param columns features of the model
 * @throws ArtefactCorrupt if the nodes are no trees
 * @throws ModelNotExplainable if the forest does not tell how many training rows came to its nodes
 */
export const layOutTrees = (forest: FlatForest, columns: number): GameTrees => {
  const nodes = forest.feature.length
  const trees = forest.roots.length
  const starts = new Int32Array(trees + 1)
  const source = new Int32Array(nodes)
  const feature = new Int32Array(nodes)
  const right = new Int32Array(nodes)
  const sameFeature = new Int32Array(nodes).fill(-1)
  const ratio = new Float64Array(nodes).fill(1)
  const share = new Float64Array(nodes).fill(1)
  let longestWay = 0
  let deepest = 0
  let largestTree = 0
  let next = 0
  const way = createWay(columns)

  const place = (one: Waiting): number => {
    const node = next++
    if (node >= nodes) throw new ArtefactCorrupt('the trees of the forest share nodes')
    checkNode(forest, one.source, columns)
    source[node] = one.source
    feature[node] = forest.feature[one.source]!
    ratio[node] = one.ratio
    if (one.parent < 0) way.restart()
    else {
      if (one.isRight) right[one.parent] = node
      const above = sameFeature[one.parent]!
      share[node] = one.ratio * (above < 0 ? 1 : share[above]!)
      way.take(feature[one.parent]!, node, one.depth)
    }
    if (feature[node] !== LEAF) sameFeature[node] = way.lastEdge(feature[node]!)
    return node
  }

  for (let tree = 0; tree < trees; tree++) {
    starts[tree] = next
    const root = forest.roots[tree]!
    if (!(root >= 0 && root < nodes)) throw new ArtefactCorrupt(`tree ${tree} of the forest starts at node ${root}`)
    const waiting: Waiting[] = [{ source: root, parent: -1, isRight: false, ratio: 1, depth: 0 }]
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const node = place(one)
      longestWay = Math.max(longestWay, way.differentFeatures())
      deepest = Math.max(deepest, one.depth)
      if (feature[node] === LEAF) continue
      if (one.depth === 0) checkCover(forest, root, tree)
      const [toLeft, toRight] = ratiosAt(forest, one.source)
      const below = { parent: node, depth: one.depth + 1 }
      waiting.push({ ...below, source: forest.right[one.source]!, isRight: true, ratio: toRight })
      waiting.push({ ...below, source: forest.left[one.source]!, isRight: false, ratio: toLeft })
    }
    largestTree = Math.max(largestTree, next - starts[tree]!)
  }
  starts[trees] = next
  return { starts, source, feature, right, sameFeature, ratio, share, longestWay, depth: deepest, largestTree }
}
