import { CATEGORY_WORDS, type FlatForest, LEAF } from '../flat-forest.ts'

/** Trees of a forest that was grown in parts, with their numbers in the whole. */
export type TreePart = { readonly forest: FlatForest; readonly trees: readonly number[] }

/**
 * The whole forest, its trees in the order of their numbers, however they were dealt to the parts.
 * @param parts of the same outputs and combination; no tree number occurs twice
 */
export const joinTrees = (parts: readonly TreePart[]): FlatForest => {
  const places = parts
    .flatMap(({ forest, trees }) =>
      trees.map((tree, i) => ({
        forest,
        tree,
        from: forest.roots[i]!,
        to: forest.roots[i + 1] ?? forest.feature.length,
      })),
    )
    .sort((a, b) => a.tree - b.tree)
  const sum = (size: (forest: FlatForest) => number): number =>
    parts.reduce((total, { forest }) => total + size(forest), 0)
  const nodes = sum(({ feature }) => feature.length)
  const { outputs, combine } = parts[0]!.forest
  const joined: FlatForest = {
    outputs,
    roots: new Int32Array(places.length),
    feature: new Int32Array(nodes),
    threshold: new Float64Array(nodes),
    left: new Int32Array(nodes),
    right: new Int32Array(nodes),
    missingLeft: new Uint8Array(nodes),
    categorySet: new Int32Array(nodes),
    categoryWords: new Int32Array(sum(({ categoryWords }) => categoryWords.length)),
    cover: new Float64Array(nodes),
    leaves: new Float64Array(sum(({ leaves }) => leaves.length)),
    combine,
  }

  let next = 0
  let nextLeaf = 0
  let nextWord = 0
  places.forEach(({ forest, from, to }, place) => {
    const shift = next - from
    joined.roots[place] = next
    joined.feature.set(forest.feature.subarray(from, to), next)
    joined.threshold.set(forest.threshold.subarray(from, to), next)
    joined.missingLeft.set(forest.missingLeft.subarray(from, to), next)
    joined.cover.set(forest.cover.subarray(from, to), next)
    for (let node = from; node < to; node++, next++) {
      if (forest.feature[node] === LEAF) {
        const leaf = forest.left[node]! * outputs
        for (let c = 0; c < outputs; c++) joined.leaves[nextLeaf * outputs + c] = forest.leaves[leaf + c]!
        joined.left[next] = nextLeaf++
      } else {
        joined.left[next] = forest.left[node]! + shift
        joined.right[next] = forest.right[node]! + shift
      }
      const set = forest.categorySet[node]!
      joined.categorySet[next] = set < 0 ? -1 : nextWord
      if (set < 0) continue
      joined.categoryWords.set(forest.categoryWords.subarray(set, set + CATEGORY_WORDS), nextWord)
      nextWord += CATEGORY_WORDS
    }
  })
  return joined
}
