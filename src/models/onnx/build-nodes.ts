import { CATEGORY_WORDS, type FlatForest, LEAF, MAX_CATEGORIES } from '../forest/flat-forest.ts'
import { nextDown } from '../forest/next-down.ts'
import { nextFloatDown, roundedThreshold } from './float32-threshold.ts'
import { OnnxRefused } from './onnx-refused.ts'
import type { TreeTable } from './tree-table.ts'

/** The nodes of a `FlatForest`, without what its leaves give. */
export type ForestNodes = Pick<
  FlatForest,
  'roots' | 'feature' | 'threshold' | 'left' | 'right' | 'missingLeft' | 'categorySet' | 'categoryWords'
>

export type NodeRules = {
  /** Whether the ensemble rounds a value to float32 before it compares; else it compares in float64. */
  readonly roundsValues: boolean
  /** The feature that each column of the ensemble is. */
  readonly featureOf: readonly number[]
  /** For each feature, whether it holds codes of categories. */
  readonly isCategory: readonly boolean[]
  readonly maxNodes: number
}

/** Where a child's index is to be written. */
type Place = { readonly parent: number; readonly side: 'left' | 'right' | 'root' }

const noThreshold = 0

/**
 * Turns the nodes of a checked table into those of a `FlatForest`: every comparison becomes `value <= threshold` or,
 * for categories, a set. A comparison with `=` of a number takes two nodes, and what follows where it fails is
 * copied.
 * @throws OnnxRefused if there are more than `maxNodes` nodes then, or a comparison cannot be had
 */
export const buildNodes = (
  table: TreeTable,
  { roundsValues, featureOf, isCategory, maxNodes }: NodeRules,
): ForestNodes => {
  const roots: number[] = []
  const feature: number[] = []
  const threshold: number[] = []
  const left: number[] = []
  const right: number[] = []
  const missingLeft: number[] = []
  const categorySet: number[] = []
  const categoryWords: number[] = []

  /** Greatest double that counts as at most `value`. */
  const atMost = (value: number): number => (roundsValues ? roundedThreshold(value) : value)
  /** Greatest double that counts as less than `value`. */
  const below = (value: number): number => {
    if (!roundsValues) return nextDown(value)
    const float = Math.fround(value)
    return roundedThreshold(float < value ? float : nextFloatDown(float))
  }

  const put = ({ parent, side }: Place, node: number): void => {
    if (side === 'left') left[parent] = node
    else if (side === 'right') right[parent] = node
    else roots.push(node)
  }

  const add = (place: Place, column: number, limit: number, missing: boolean, set = -1): number => {
    const node = feature.length
    if (node >= maxNodes) {
      throw new OnnxRefused(
        `the forest comes to more than ${maxNodes} nodes; train fewer trees, or without equality splits`,
      )
    }
    feature.push(column)
    threshold.push(limit)
    left.push(0)
    right.push(0)
    missingLeft.push(missing ? 1 : 0)
    categorySet.push(set)
    put(place, node)
    return node
  }

  const addSet = (codes: readonly number[]): number => {
    const first = categoryWords.length
    for (let word = 0; word < CATEGORY_WORDS; word++) categoryWords.push(0)
    for (const code of codes) {
      // Nothing but a code can be equal to a category.
      if (!Number.isInteger(code) || code < 0 || code >= MAX_CATEGORIES) continue
      const word = first + (code >> 5)
      categoryWords[word] = categoryWords[word]! | (1 << (code & 31))
    }
    return first
  }

  const stack: [source: number, place: Place][] = []

  const addEquality = (source: number, place: Place, isEqual: number, isOther: number, missingEqual: boolean): void => {
    const column = featureOf[table.feature[source]!]!
    const value = table.threshold[source]!
    if (isCategory[column]) {
      const node = add(place, column, noThreshold, missingEqual, addSet(table.members.get(source) ?? [value]))
      stack.push([isOther, { parent: node, side: 'right' }], [isEqual, { parent: node, side: 'left' }])
      return
    }
    if (table.members.has(source)) {
      throw new OnnxRefused(
        `node ${source} asks whether feature ${column} is in a set, and it is no category of the task`,
      )
    }
    const upper = add(place, column, atMost(value), missingEqual)
    const lower = add({ parent: upper, side: 'left' }, column, below(value), false)
    stack.push(
      [isOther, { parent: upper, side: 'right' }],
      [isEqual, { parent: lower, side: 'right' }],
      [isOther, { parent: lower, side: 'left' }],
    )
  }

  const addNode = (source: number, place: Place): void => {
    const column = featureOf[table.feature[source]!]!
    const value = table.threshold[source]!
    const whenTrue = table.whenTrue[source]!
    const whenFalse = table.whenFalse[source]!
    const missingTrue = table.missingTrue[source] === 1
    const split = (limit: number, isTrueLeft: boolean): void => {
      const node = add(place, column, limit, missingTrue === isTrueLeft)
      stack.push(
        [isTrueLeft ? whenFalse : whenTrue, { parent: node, side: 'right' }],
        [isTrueLeft ? whenTrue : whenFalse, { parent: node, side: 'left' }],
      )
    }
    const mode = table.mode[source]!
    if (mode === 'leaf') left[add(place, LEAF, noThreshold, false)] = table.leafRow[source]!
    else if (mode === 'leq') split(atMost(value), true)
    else if (mode === 'lt') split(below(value), true)
    else if (mode === 'gt') split(atMost(value), false)
    else if (mode === 'gte') split(below(value), false)
    // A missing value is unequal to every number.
    else if (mode === 'neq') addEquality(source, place, whenFalse, whenTrue, false)
    else addEquality(source, place, whenTrue, whenFalse, missingTrue)
  }

  for (const root of table.roots) {
    stack.push([root, { parent: 0, side: 'root' }])
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) addNode(...next)
  }
  return {
    roots: Int32Array.from(roots),
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: Uint8Array.from(missingLeft),
    categorySet: Int32Array.from(categorySet),
    categoryWords: Int32Array.from(categoryWords),
  }
}
