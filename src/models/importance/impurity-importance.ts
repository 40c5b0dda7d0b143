import { type FlatForest, LEAF } from '../forest/flat-forest.ts'

export type ImpurityCriterion = 'gini' | 'entropy' | 'squared_error'

/** What each node would predict: the mean of its leaves, by their weight. Row-major, `nodes * outputs`. */
const nodeValues = ({ outputs, feature, left, right, cover, leaves }: FlatForest): Float64Array => {
  const values = new Float64Array(feature.length * outputs)
  for (let node = feature.length - 1; node >= 0; node--) {
    const a = left[node]!
    const b = right[node]!
    for (let c = 0; c < outputs; c++) {
      values[node * outputs + c] =
        feature[node] === LEAF
          ? leaves[a * outputs + c]!
          : (cover[a]! * values[a * outputs + c]! + cover[b]! * values[b * outputs + c]!) / cover[node]!
    }
  }
  return values
}

/**
 * Impurity of a node but for a term that a split keeps: `-sum(p^2)`, `sum(p ln p) * -1`, or `-mean^2`, which is the
 * variance less the mean square.
 */
const impurityOf = (values: Float64Array, at: number, outputs: number, criterion: ImpurityCriterion): number => {
  let sum = 0
  for (let c = 0; c < outputs; c++) {
    const value = values[at + c]!
    if (criterion === 'entropy') sum += value > 0 ? value * Math.log(value) : 0
    else sum += value * value
  }
  return -sum
}

/**
 * Mean decrease of impurity (Breiman et al., 1984, section 5.3.4; as scikit-learn's `feature_importances_`): what the
 * splits on a feature take off the impurity, weighted by the rows that come to them, as a share of the tree's whole;
 * then the mean over the trees, as shares of 1. It favours features with many values: see `permutationImportance`.
 * @param forest of trees whose leaves hold class shares or means, with their covers
 * @param columns features of the forest
 * @returns per feature; all 0 where no tree has a split that lessens anything
 */
export const impurityImportance = (forest: FlatForest, columns: number, criterion: ImpurityCriterion): Float64Array => {
  const { outputs, roots, feature, left, right, cover } = forest
  const values = nodeValues(forest)
  const importance = new Float64Array(columns)
  const weighted = (node: number): number => cover[node]! * impurityOf(values, node * outputs, outputs, criterion)
  roots.forEach((root, tree) => {
    const ofTree = new Float64Array(columns)
    const end = roots[tree + 1] ?? feature.length
    for (let node = root; node < end; node++) {
      const column = feature[node]!
      if (column === LEAF) continue
      ofTree[column] = ofTree[column]! + weighted(node) - weighted(left[node]!) - weighted(right[node]!)
    }
    addShares(importance, ofTree)
  })
  const shares = new Float64Array(columns)
  addShares(shares, importance)
  return shares
}

const addShares = (to: Float64Array, amounts: Float64Array): void => {
  const whole = amounts.reduce((sum, amount) => sum + amount, 0)
  if (!(whole > 0)) return
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + amounts[i]! / whole
}
