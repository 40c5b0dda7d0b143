import type { ModelKind } from '../candidate.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'
import { logLogistic, softmax } from '../softmax.ts'
import type { ForestCombination } from './flat-forest.ts'

/** How the rule is stored: a mean, or a sum with one of the transforms. */
const RULES = ['mean', 'none', 'softmax', 'logistic'] as const

const SUM_TOLERANCE = 1e-9

/** @returns what `readCombination` reads */
export const packCombination = (combine: ForestCombination): { rule: Int32Array; base: Float64Array } =>
  combine.rule === 'mean'
    ? { rule: Int32Array.of(0), base: new Float64Array(0) }
    : { rule: Int32Array.of(RULES.indexOf(combine.transform)), base: Float64Array.from(combine.base) }

/** @throws ArtefactCorrupt */
export const readCombination = (sections: Sections, outputs: number): ForestCombination => {
  const code = sections.int32('combine', 1)[0]!
  const rule = RULES[code]
  if (rule === undefined) throw new ArtefactCorrupt(`the forest has no way ${code} to combine its leaves`)
  const base = sections.float64('base', rule === 'mean' ? 0 : outputs)
  return rule === 'mean' ? { rule } : { rule: 'sum', base: [...base], transform: rule }
}

const checkShares = (leaves: Float64Array, classes: number): void => {
  for (let at = 0; at < leaves.length; at += classes) {
    let sum = 0
    let least = 0
    for (let c = at; c < at + classes; c++) {
      sum += leaves[c]!
      if (leaves[c]! < least) least = leaves[c]!
    }
    if (least < 0 || Math.abs(sum - 1) > SUM_TOLERANCE) {
      const shares = leaves.subarray(at, at + classes)
      throw new ArtefactCorrupt(`row ${at / classes} of the leaves is [${shares}]; shares of classes must sum to 1`)
    }
  }
}

const checkWeights = (weights: ArrayLike<number>): void => {
  for (let at = 0; at < weights.length; at++) {
    if (weights[at]! < 0) throw new ArtefactCorrupt(`a leaf of the forest holds ${weights[at]}, no weight of a class`)
  }
}

/**
 * The leaves, after a check that whatever rows fall into them gives finite outputs, which for classes sum to 1:
 * the mean of classes needs shares, a sum without a transform weights of at least 0. Everything else may be any number.
 * @throws ArtefactCorrupt
 */
export const readLeaves = (
  sections: Sections,
  kind: ModelKind,
  outputs: number,
  combine: ForestCombination,
): Float64Array => {
  const leaves = sections.float64('leaves')
  if (leaves.length === 0 || leaves.length % outputs !== 0) {
    throw new ArtefactCorrupt(`section 'leaves' has ${leaves.length} elements: no rows of ${outputs} outputs`)
  }
  if (kind === 'regression') return leaves
  if (combine.rule === 'mean') checkShares(leaves, outputs)
  else if (combine.transform === 'none') {
    checkWeights(leaves)
    checkWeights(combine.base)
  }
  return leaves
}

/** Divides the outputs of a row by their sum; a row for which nothing speaks gives all classes the same. */
const normalise = (out: Float64Array, at: number, outputs: number): void => {
  let sum = 0
  for (let o = at; o < at + outputs; o++) sum += out[o]!
  for (let o = at; o < at + outputs; o++) out[o] = sum > 0 ? out[o]! / sum : 1 / outputs
}

/** Turns the sum of the leaves of each row, in place, into outputs. Allocates nothing. */
export type CombineLeaves = (sums: Float64Array, at: number, rows: number) => void

/**
 * What becomes of the sums. Probabilities of independent logistic outputs are divided by their sum, too, so that those
 * of any classifier sum to 1.
 */
export const createCombination = (
  kind: ModelKind,
  outputs: number,
  combine: ForestCombination,
  trees: number,
): CombineLeaves => {
  if (combine.rule === 'mean') {
    return (sums, at, rows) => {
      for (let o = at; o < at + rows * outputs; o++) sums[o] = sums[o]! / trees
    }
  }
  const eachRow =
    (transform: (out: Float64Array, at: number, outputs: number) => void): CombineLeaves =>
    (sums, at, rows) => {
      for (let row = at; row < at + rows * outputs; row += outputs) transform(sums, row, outputs)
    }
  switch (combine.transform) {
    case 'softmax':
      return eachRow(softmax)
    case 'logistic':
      return eachRow((out, at) => {
        for (let o = at; o < at + outputs; o++) out[o] = logLogistic(out[o]!)
        // The quotient of the logistic values is the softmax of their logarithms; a number alone stays what it is.
        if (kind === 'classification') softmax(out, at, outputs)
        else for (let o = at; o < at + outputs; o++) out[o] = Math.exp(out[o]!)
      })
    case 'none':
      return kind === 'classification' ? eachRow(normalise) : () => {}
  }
}
