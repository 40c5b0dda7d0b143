import { createRandom, type Random } from '../../src/features/random.ts'
import { CATEGORY_WORDS, type FlatForest, type ForestCombination, LEAF } from '../../src/models/forest/flat-forest.ts'

export type SampleForest = {
  readonly seed: number
  readonly trees: number
  readonly maxDepth: number
  /** Categories of each feature, 0 for a number. */
  readonly categories: readonly number[]
  readonly outputs: number
  readonly combine?: ForestCombination
  /** What thresholds are drawn from. */
  readonly thresholds?: readonly number[]
}

const THRESHOLDS = [-1, -0.5, 0, 0.25, 0.5, 1, 5e-324, 1e-310, -1e300, 1e300, Infinity, -Infinity]

const drawLeaf = (random: Random, outputs: number): number[] => {
  const weights = Array.from({ length: outputs }, () => (random.below(4) === 0 ? 0 : random.next()))
  const sum = weights.reduce((a, b) => a + b, 0)
  return outputs === 1 ? weights : weights.map((weight) => (sum > 0 ? weight / sum : 1 / outputs))
}

/** A random forest, its nodes depth first, left children first: another order than the stored one. */
export const sampleForest = (sample: SampleForest): FlatForest => {
  const { trees, maxDepth, categories, outputs, combine = { rule: 'mean' }, thresholds = THRESHOLDS } = sample
  const random = createRandom(sample.seed, 'sample forest')
  const nodes: { feature: number; threshold: number; left: number; right: number; missing: number; set: number }[] = []
  const cover: number[] = []
  const words: number[] = []
  const leaves: number[] = []

  const addNode = (depth: number): number => {
    const at = nodes.length
    const node = { feature: LEAF, threshold: 0, left: 0, right: 0, missing: 0, set: -1 }
    nodes.push(node)
    if (depth === 0 || random.below(5) === 0) {
      node.left = leaves.length / outputs
      leaves.push(...drawLeaf(random, outputs))
      cover[at] = 1 + random.below(9)
      return at
    }
    node.feature = random.below(categories.length)
    node.missing = random.below(2)
    if (categories[node.feature]! > 0) {
      node.set = words.length
      // No code that is not a category's: whatever stands there, such a code must be told apart by the caller.
      for (let word = 0; word < CATEGORY_WORDS; word++) words.push(random.uint32() | 0)
    } else node.threshold = thresholds[random.below(thresholds.length)]!
    node.left = addNode(depth - 1)
    node.right = addNode(depth - 1)
    cover[at] = cover[node.left]! + cover[node.right]!
    return at
  }

  const roots = Int32Array.from({ length: trees }, () => addNode(maxDepth))
  return {
    ...{ outputs, roots, combine },
    feature: Int32Array.from(nodes, ({ feature }) => feature),
    threshold: Float64Array.from(nodes, ({ threshold }) => threshold),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    missingLeft: Uint8Array.from(nodes, ({ missing }) => missing),
    categorySet: Int32Array.from(nodes, ({ set }) => set),
    categoryWords: Int32Array.from(words),
    cover: Float64Array.from(cover),
    leaves: Float64Array.from(leaves),
  }
}

const goesLeft = (forest: FlatForest, node: number, value: number): boolean => {
  if (Number.isNaN(value)) return forest.missingLeft[node] === 1
  const set = forest.categorySet[node]!
  if (set < 0) return value <= forest.threshold[node]!
  const known = Number.isInteger(value) && value >= 0 && value < 32 * CATEGORY_WORDS
  if (!known) return forest.missingLeft[node] === 1
  return (forest.categoryWords[set + Math.floor(value / 32)]! & (1 << (value % 32))) !== 0
}

/** The row of leaves of one tree, found by the words of `FlatForest` and nothing else. */
const leafOf = (forest: FlatForest, root: number, row: ArrayLike<number>): number => {
  let node = root
  while (forest.feature[node] !== LEAF) {
    const value = row[forest.feature[node]!]!
    node = goesLeft(forest, node, value) ? forest.left[node]! : forest.right[node]!
  }
  return forest.left[node]!
}

const normalised = (weights: number[]): number[] => {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => (sum > 0 ? weight / sum : 1 / weights.length))
}

/** What a forest gives for a row, by its definition. */
export const scoreNaively = (
  forest: FlatForest,
  row: ArrayLike<number>,
  kind: 'classification' | 'regression',
): number[] => {
  const { outputs, roots, leaves, combine } = forest
  const sums = combine.rule === 'mean' ? new Array<number>(outputs).fill(0) : [...combine.base]
  for (const root of roots) {
    const leaf = leafOf(forest, root, row)
    for (let o = 0; o < outputs; o++) sums[o]! += leaves[leaf * outputs + o]!
  }
  if (combine.rule === 'mean') return sums.map((sum) => sum / roots.length)
  switch (combine.transform) {
    case 'none':
      return kind === 'classification' ? normalised(sums) : sums
    case 'logistic': {
      const values = sums.map((sum) => 1 / (1 + Math.exp(-sum)))
      return kind === 'classification' ? normalised(values) : values
    }
    case 'softmax': {
      const greatest = Math.max(...sums)
      return normalised(sums.map((sum) => Math.exp(sum - greatest)))
    }
  }
}
