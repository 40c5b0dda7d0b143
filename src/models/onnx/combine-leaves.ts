import type { FlatForest, ForestCombination } from '../forest/flat-forest.ts'
import { PARAMETER_LIMIT } from '../sections.ts'
import { OnnxRefused } from './onnx-refused.ts'
import type { EnsembleRule, TreeTable } from './tree-table.ts'

export type CombinedLeaves = Pick<FlatForest, 'outputs' | 'leaves'> & { readonly combine: ForestCombination }

/** Weights in float32 that should sum to 1 do so up to their rounding. */
const SHARE_TOLERANCE = 1e-4

const checkSizes = (weights: Float64Array, base: readonly number[]): void => {
  const isTooLarge = (value: number): boolean => !(Math.abs(value) <= PARAMETER_LIMIT)
  if (weights.some(isTooLarge) || base.some(isTooLarge)) {
    throw new OnnxRefused(`a weight or base value is beyond ${PARAMETER_LIMIT}; train on targets of a usual size`)
  }
}

/** The forest of a regression: the sum or the mean of one weight per tree, and the base value. */
export const combineTargets = (
  { weights, outputs, usedOutputs, roots }: TreeTable,
  rule: EnsembleRule,
): CombinedLeaves => {
  const { aggregate, transform, base } = rule
  checkSizes(weights, base)
  if (outputs !== 1) throw new OnnxRefused(`the ensemble predicts ${outputs} numbers; export a forest of one target`)
  if (usedOutputs.size === 0) throw new OnnxRefused('no leaf of the ensemble has a weight; export the forest again')
  if (base.length > 1)
    throw new OnnxRefused(`there are ${base.length} base values for one target; export the forest again`)
  if (transform !== 'none') {
    throw new OnnxRefused(
      `the ensemble transforms its number by ${transform}; export a plain regression, or a classifier`,
    )
  }
  const start = base[0] ?? 0
  if (aggregate === 'average' && start === 0) return { outputs, leaves: weights, combine: { rule: 'mean' } }
  const leaves = aggregate === 'average' ? weights.map((weight) => weight / roots.length) : weights
  return { outputs, leaves, combine: { rule: 'sum', base: [start], transform: 'none' } }
}

const sharesOf = (weights: Float64Array, classes: number, trees: number): Float64Array => {
  const shares = weights.map((weight) => weight * trees)
  for (let at = 0; at < shares.length; at += classes) {
    const leaf = shares.subarray(at, at + classes)
    const sum = leaf.reduce((total, share) => total + share, 0)
    if (leaf.some((share) => share < -SHARE_TOLERANCE) || Math.abs(sum - 1) > SHARE_TOLERANCE) {
      throw new OnnxRefused(
        `leaf ${at / classes} gives the shares [${leaf.slice(0, 5)}${classes > 5 ? ', ...' : ''}], which should be at least 0 and sum to 1; ` +
          'export a forest whose leaves hold class shares, or a boosted one with its softmax or logistic transform',
      )
    }
    for (let c = 0; c < classes; c++) leaf[c] = Math.max(0, leaf[c]!)
    const rest = leaf.reduce((total, share) => total + share, 0)
    for (let c = 0; c < classes; c++) leaf[c] = leaf[c]! / rest
  }
  return shares
}

/**
 * Two classes of which the file gives one column, that of the second class, as class 0. The first class has the rest.
 * ONNX leaves this case open; this is how ONNX Runtime reads it.
 */
const spreadColumn = ({ weights, roots }: TreeTable, { transform, base }: EnsembleRule): CombinedLeaves => {
  if (base.length > 1) {
    throw new OnnxRefused(`there are ${base.length} base values for one column of weights; export the forest again`)
  }
  const start = base[0] ?? 0
  const leaves = new Float64Array(weights.length)
  if (transform === 'logistic') {
    // logistic(s) is the second of softmax(0, s).
    for (let at = 0; at < leaves.length; at += 2) leaves[at + 1] = weights[at]!
    return { outputs: 2, leaves, combine: { rule: 'sum', base: [0, start], transform: 'softmax' } }
  }
  if (transform === 'softmax') {
    throw new OnnxRefused(
      'the ensemble has one column of weights and a softmax, which runtimes read in different ways; export it with LOGISTIC',
    )
  }
  const trees = roots.length
  for (let at = 0; at < leaves.length; at += 2) {
    leaves[at + 1] = weights[at]! + start / trees
    leaves[at] = 1 / trees - leaves[at + 1]!
  }
  return { outputs: 2, leaves: sharesOf(leaves, 2, trees), combine: { rule: 'mean' } }
}

/**
 * The forest of a classifier: the mean of class shares (random forests, trees), or the softmax of sums (boosting).
 * @throws OnnxRefused where the outcome would be no probabilities, or ONNX Runtime is known to compute something else
 */
export const combineClasses = (table: TreeTable, rule: EnsembleRule): CombinedLeaves => {
  const { weights, outputs, usedOutputs, roots } = table
  const { transform, base } = rule
  checkSizes(weights, base)
  if (usedOutputs.size === 0) throw new OnnxRefused('no leaf of the ensemble has a weight; export the forest again')
  if (outputs === 2 && usedOutputs.size === 1 && usedOutputs.has(0)) return spreadColumn(table, rule)
  if (base.length > 0 && (outputs === 2 || base.length !== outputs)) {
    throw new OnnxRefused(
      `there are ${base.length} base values for ${outputs} columns of weights, which runtimes read in different ways; ` +
        'export two classes with one column and one base value, and more with one per class',
    )
  }
  if (transform === 'logistic') {
    throw new OnnxRefused(
      'the classes have a logistic transform each, so their probabilities do not sum to 1; export with SOFTMAX',
    )
  }
  if (transform === 'softmax') {
    const start = base.length === 0 ? new Array<number>(outputs).fill(0) : [...base]
    return { outputs, leaves: weights, combine: { rule: 'sum', base: start, transform } }
  }
  if (base.some((value) => value !== 0)) {
    throw new OnnxRefused('the ensemble adds base values to class shares; export a forest without base values')
  }
  return { outputs, leaves: sharesOf(weights, outputs, roots.length), combine: { rule: 'mean' } }
}
