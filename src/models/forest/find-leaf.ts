import { CATEGORY_WORDS, type FlatForest, LEAF } from './flat-forest.ts'

/**
 * The leaf that a row falls into, for everything that need not be fast.
 * @param node where to start: a root, or any node below
 * @param features raw values; NaN where missing, categories by their codes
 * @param at where the row begins
 * @returns the number of the leaf's node; its values begin at `left[node] * outputs` of `leaves`
 */
export const findLeaf = (forest: FlatForest, node: number, features: Float64Array, at: number): number => {
  const { feature, left, right } = forest
  let place = node
  while (feature[place] !== LEAF) {
    place = goesLeft(forest, place, features[at + feature[place]!]!) ? left[place]! : right[place]!
  }
  return place
}

/** Whether a value goes left at a split. What is no code of a category goes as a missing value. */
export const goesLeft = (forest: FlatForest, node: number, value: number): boolean => {
  const set = forest.categorySet[node]!
  if (set < 0 && !Number.isNaN(value)) return value <= forest.threshold[node]!
  if (set < 0 || !Number.isInteger(value) || value < 0 || value >= 32 * CATEGORY_WORDS) {
    return forest.missingLeft[node] === 1
  }
  return ((forest.categoryWords[set + (value >> 5)]! >>> (value & 31)) & 1) === 1
}
