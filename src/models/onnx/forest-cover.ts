import { type FlatForest, LEAF } from '../forest/flat-forest.ts'

const goesLeft = (forest: FlatForest, node: number, value: number): boolean => {
  const set = forest.categorySet[node]!
  if (Number.isNaN(value)) return forest.missingLeft[node] === 1
  if (set < 0) return value <= forest.threshold[node]!
  const word = forest.categoryWords[set + (value >> 5)]!
  return ((word >>> (value & 31)) & 1) === 1
}

/**
 * How many of the rows come to each node: what a forest from elsewhere does not tell, and contributions of features
 * are weighed by.
 * @param features row-major, NaN where missing and for categories that are not known
 */
export const coverOf = (forest: FlatForest, features: Float64Array, columns: number): Float64Array => {
  const cover = new Float64Array(forest.feature.length)
  for (let row = 0; row < features.length; row += columns) {
    for (const root of forest.roots) {
      let node = root
      cover[node] = cover[node]! + 1
      while (forest.feature[node] !== LEAF) {
        const value = features[row + forest.feature[node]!]!
        node = goesLeft(forest, node, value) ? forest.left[node]! : forest.right[node]!
        cover[node] = cover[node]! + 1
      }
    }
  }
  return cover
}
