import { type FlatForest, LEAF } from '../forest/flat-forest.ts'
import type { RowExplainer } from './explainer.ts'
import { type GameTrees, layOutTrees } from './game-trees.ts'
import { gaussLegendre } from './gauss-legendre.ts'
import { ModelNotExplainable } from './model-not-explainable.ts'
import { carryDown, carryUp, createTreeGame } from './tree-game.ts'

/** Numbers of working memory, 1 GiB of them, beyond which a forest is not explained. */
const MAX_WORKING_NUMBERS = 2 ** 27

/** A leaf's outputs may be summed up this far from 1 and still be shares. */
const SHARE_TOLERANCE = 1e-13

const areShares = (leaves: Float64Array, outputs: number): boolean => {
  if (outputs < 2) return false
  for (let at = 0; at < leaves.length; at += outputs) {
    let sum = 0
    for (let output = 0; output < outputs; output++) sum += leaves[at + output]!
    if (!(Math.abs(sum - 1) <= SHARE_TOLERANCE)) return false
  }
  return true
}

/** Mean of the forest over the rows of its training, by the shares of them that came to each leaf. */
const expectedOutputs = (
  { outputs, leaves, left, combine }: FlatForest,
  { starts, source, feature, right, ratio }: GameTrees,
): Float64Array => {
  const expected = new Float64Array(outputs)
  const trees = starts.length - 1
  const reached = new Float64Array(feature.length)
  for (const start of starts.subarray(0, trees)) reached[start] = 1
  for (let node = 0; node < starts[trees]!; node++) {
    const share = reached[node]!
    if (feature[node] !== LEAF) {
      reached[node + 1] = share * ratio[node + 1]!
      reached[right[node]!] = share * ratio[right[node]!]!
      continue
    }
    const value = left[source[node]!]! * outputs
    for (let o = 0; o < outputs; o++) expected[o] = expected[o]! + share * leaves[value + o]!
  }
  return combine.rule === 'mean'
    ? expected.map((sum) => sum / trees)
    : expected.map((sum, output) => sum + (combine.base[output] ?? 0))
}

/**
 * Exact Shapley values of a forest, path-dependent: a feature that a coalition does not know is averaged over the
 * training rows at each split, by `cover` (Lundberg et al., "Consistent Individualized Feature Attribution for Tree
 * Ensembles", 2018, Algorithm 2; Nature Machine Intelligence 2, 2020). The contributions are those of the forest's sum
 * or mean before any softmax or logistic function.
 *
 * A leaf of value v lies behind edges of d different features; for feature j, z_j is the share of training rows that
 * took its edges and o_j is 1 if the row takes them all, else 0. Its contribution to feature i is
 * `v (o_i - z_i) * integral over t from 0 to 1 of product over j != i of (z_j (1 - t) + o_j t)`, since the Shapley weight
 * k! (d - 1 - k)! / d! is the integral of t^k (1 - t)^(d - 1 - k). The integrand has degree d - 1, so Gauss-Legendre
 * quadrature with d / 2 points is exact, and no step of it subtracts what it added, as unwinding a path does. The
 * products are carried from the root down, the sums over the leaves below an edge back up, so the work is
 * nodes * points * outputs. Where a feature comes again on a way, its last edge stands for all of them.
 *
 * @param columns features of the model
 * @throws ModelNotExplainable if the forest lacks the counts of training rows, or is too large
 * @throws ArtefactCorrupt if its nodes are no trees
 */
export const createForestExplainer = (forest: FlatForest, columns: number): RowExplainer => {
  const { outputs, leaves, combine } = forest
  const trees = layOutTrees(forest, columns)
  const nodes = trees.feature.length
  const points = Math.max(1, Math.ceil(trees.longestWay / 2))
  // Shares sum to 1, so the contributions to the last class are those to the others, taken off.
  const lastIsRest = areShares(leaves, outputs)
  const carried = lastIsRest ? outputs - 1 : outputs
  if ((nodes + trees.largestTree + trees.depth * outputs) * points > MAX_WORKING_NUMBERS) {
    throw new ModelNotExplainable(
      `a forest of ${nodes} nodes with up to ${trees.longestWay} features on a way is too large to explain; ` +
        'train one of a smaller depth',
    )
  }
  const game = createTreeGame(forest, trees, gaussLegendre(points), carried)
  const count = trees.starts.length - 1
  const divisor = combine.rule === 'mean' ? count : 1
  return {
    expected: expectedOutputs(forest, trees),
    explain: (features, out, from = 0, at = 0) => {
      const end = at + columns * outputs
      out.fill(0, at, end)
      for (let tree = 0; tree < count; tree++) {
        carryDown(game, tree, features, from)
        carryUp(game, tree, out, at)
      }
      for (let i = at; i < end; i += outputs) {
        let rest = 0
        for (let output = 0; output < carried; output++) {
          const contribution = out[i + output]! / divisor
          out[i + output] = contribution
          rest -= contribution
        }
        if (lastIsRest) out[i + carried] = rest
      }
    },
  }
}
