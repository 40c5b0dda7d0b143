import type { ModelKind } from '../candidate.ts'
import { CATEGORY_WORDS, type FlatForest, LEAF } from '../forest/flat-forest.ts'
import { embedIntegers, embedNumbers } from './embed-array.ts'

/** Most thresholds occur at many nodes: each is written once, and nodes say which. */
const distinctThresholds = ({ threshold }: FlatForest): { values: Float64Array; places: Int32Array } => {
  const values = Float64Array.from(new Set(threshold))
  const placeOf = new Map(Array.from(values, (value, place) => [value, place]))
  return { values, places: Int32Array.from(threshold, (value) => placeOf.get(value)!) }
}

/** Pure leaves are alike, and there are many of them: each row of leaves is written once, and nodes say which. */
const distinctLeaves = ({ leaves, outputs }: FlatForest): { values: number[]; places: number[] } => {
  const values: number[] = []
  const placeOf = new Map<string, number>()
  const places: number[] = []
  for (let at = 0; at < leaves.length; at += outputs) {
    const row = Array.from(leaves.subarray(at, at + outputs))
    const key = row.join()
    const place = placeOf.get(key) ?? placeOf.size
    if (place === placeOf.size) {
      placeOf.set(key, place)
      values.push(...row)
    }
    places.push(place)
  }
  return { values, places }
}

/** For a split how far its right child is from it, its left one coming next; for a leaf its row of leaves. */
const nextNodes = ({ feature, left, right }: FlatForest, rows: readonly number[]): Int32Array =>
  feature.map((column, node) => {
    if (column === LEAF) return rows[left[node]!]!
    if (left[node] !== right[node]! + 1)
      throw new TypeError('a stored forest has its left children behind the right ones')
    return right[node]! - node
  })

const normaliseCode = `const normalise = (outputs) => {
  const sum = outputs.reduce((total, weight) => total + weight, 0)
  return outputs.map((weight) => (sum > 0 ? weight / sum : 1 / outputs.length))
}`

const softmaxCode = `const softmax = (outputs) => {
  const greatest = outputs.reduce((most, score) => Math.max(most, score))
  return normalise(outputs.map((score) => Math.exp(score - greatest)))
}`

const logLogisticCode = 'const logLogistic = (z) => Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z)))'

/** What becomes of the sums of the leaves, see `createCombination`. */
const combineCode = ({ combine, roots }: FlatForest, kind: ModelKind): string => {
  if (combine.rule === 'mean') return `const combine = (sums) => sums.map((sum) => sum / ${roots.length})`
  const isClasses = kind === 'classification'
  if (combine.transform === 'none') {
    return isClasses ? `${normaliseCode}\nconst combine = normalise` : 'const combine = (sums) => sums'
  }
  const parts = [normaliseCode, softmaxCode]
  if (combine.transform === 'softmax') parts.push('const combine = softmax')
  else if (isClasses) parts.push(logLogisticCode, 'const combine = (sums) => softmax(sums.map(logLogistic))')
  else parts.push(logLogisticCode, 'const combine = (sums) => sums.map((sum) => Math.exp(logLogistic(sum)))')
  return parts.join('\n')
}

/** Defines `scoreRow(row)`: the outputs of a row of raw values. */
export const forestCode = (forest: FlatForest, kind: ModelKind): string => {
  const { outputs, roots, feature, missingLeft, categorySet, categoryWords, combine } = forest
  const thresholds = distinctThresholds(forest)
  const leaves = distinctLeaves(forest)
  const base = combine.rule === 'mean' ? new Float64Array(outputs) : combine.base
  return `const roots = ${embedIntegers(roots)}
// The feature's number from 1 on, 0 for a leaf.
const feature = ${embedIntegers(feature.map((column) => (column === LEAF ? 0 : column + 1)))}
// How far the right child is, the left one coming next; in a leaf, its row of leaves.
const next = ${embedIntegers(nextNodes(forest, leaves.places))}
const thresholds = ${embedNumbers(thresholds.values)}
const thresholdAt = ${embedIntegers(thresholds.places)}
const missingLeft = ${embedIntegers(missingLeft)}
// First word of the node's set of categories from 1 on, 0 for none.
const setAt = ${embedIntegers(categorySet.map((set) => set + 1))}
const setWords = ${embedIntegers(categoryWords)}
const leaves = ${embedNumbers(leaves.values)}
const base = ${embedNumbers(base)}

const goesLeft = (node, value) => {
  if (Number.isNaN(value)) return missingLeft[node] === 1
  if (setAt[node] === 0) return value <= thresholds[thresholdAt[node]]
  if (!(Number.isInteger(value) && value >= 0 && value < ${CATEGORY_WORDS * 32})) return missingLeft[node] === 1
  return ((setWords[setAt[node] - 1 + (value >> 5)] >>> (value & 31)) & 1) === 1
}

${combineCode(forest, kind)}

const scoreRow = (row) => {
  const sums = [...base]
  for (const root of roots) {
    let node = root
    while (feature[node] > 0) node += next[node] + (goesLeft(node, row[feature[node] - 1]) ? 1 : 0)
    for (let o = 0; o < ${outputs}; o++) sums[o] += leaves[next[node] * ${outputs} + o]
  }
  return combine(sums)
}`
}
