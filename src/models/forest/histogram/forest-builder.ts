import { CATEGORY_WORDS, type FlatForest, LEAF } from '../flat-forest.ts'

/** A forest that is being made. Nodes are numbered in the order in which they are added. */
export type ForestBuilder = {
  readonly startTree: () => void
  /** Adds a node, for now a leaf without values. @returns its number */
  readonly addNode: (cover: number) => number
  /** Makes a node a split. Its children are linked as they are added. */
  readonly setSplit: (node: number, column: number, threshold: number, missingLeft: boolean) => void
  /** Gives a split a category set. @param goesLeft 1 for each code that goes left */
  readonly setCategories: (node: number, goesLeft: Uint8Array) => void
  readonly linkLeft: (parent: number, child: number) => void
  readonly linkRight: (parent: number, child: number) => void
  /** Makes a node a leaf. @returns where in `leaves()` its `outputs` numbers are to be written */
  readonly setLeaf: (node: number) => number
  /** Valid until the next leaf is added. */
  readonly leaves: () => Float64Array
  readonly finish: () => FlatForest
}

type Growable = Float64Array | Int32Array | Uint8Array

const doubled = <A extends Growable>(array: A): A => {
  const grown = new (array.constructor as new (length: number) => A)(2 * array.length)
  grown.set(array)
  return grown
}

/** @param outputs numbers per leaf */
export const createForestBuilder = (outputs: number): ForestBuilder => {
  const roots: number[] = []
  let nodes = 0
  let leafCount = 0
  let setWords = 0
  let feature = new Int32Array(1024)
  let threshold = new Float64Array(1024)
  let left = new Int32Array(1024)
  let right = new Int32Array(1024)
  let missingLeft = new Uint8Array(1024)
  let categorySet = new Int32Array(1024)
  let cover = new Float64Array(1024)
  let leaves = new Float64Array(512 * outputs)
  let categoryWords = new Int32Array(8 * CATEGORY_WORDS)

  const growNodes = (): void => {
    feature = doubled(feature)
    threshold = doubled(threshold)
    left = doubled(left)
    right = doubled(right)
    missingLeft = doubled(missingLeft)
    categorySet = doubled(categorySet)
    cover = doubled(cover)
  }

  return {
    startTree: () => {
      roots.push(nodes)
    },
    addNode: (weight) => {
      if (nodes === feature.length) growNodes()
      feature[nodes] = LEAF
      categorySet[nodes] = -1
      cover[nodes] = weight
      return nodes++
    },
    setSplit: (node, column, cut, missingGoesLeft) => {
      feature[node] = column
      threshold[node] = cut
      missingLeft[node] = missingGoesLeft ? 1 : 0
    },
    setCategories: (node, goesLeft) => {
      if (setWords + CATEGORY_WORDS > categoryWords.length) categoryWords = doubled(categoryWords)
      categorySet[node] = setWords
      for (let code = 0; code < 32 * CATEGORY_WORDS; code++) {
        const word = setWords + (code >> 5)
        if (goesLeft[code] === 1) categoryWords[word] = categoryWords[word]! | (1 << (code & 31))
      }
      setWords += CATEGORY_WORDS
    },
    linkLeft: (parent, child) => {
      left[parent] = child
    },
    linkRight: (parent, child) => {
      right[parent] = child
    },
    setLeaf: (node) => {
      if ((leafCount + 1) * outputs > leaves.length) leaves = doubled(leaves)
      left[node] = leafCount
      return leafCount++ * outputs
    },
    leaves: () => leaves,
    finish: () => ({
      outputs,
      roots: Int32Array.from(roots),
      feature: feature.slice(0, nodes),
      threshold: threshold.slice(0, nodes),
      left: left.slice(0, nodes),
      right: right.slice(0, nodes),
      missingLeft: missingLeft.slice(0, nodes),
      categorySet: categorySet.slice(0, nodes),
      categoryWords: categoryWords.slice(0, setWords),
      cover: sumCovers(cover.slice(0, nodes), feature, left, right),
      leaves: leaves.slice(0, leafCount * outputs),
      combine: { rule: 'mean' },
    }),
  }
}

/** Makes each parent's weight the sum of its children's to the last bit. Children come after their parent. */
const sumCovers = (cover: Float64Array, feature: Int32Array, left: Int32Array, right: Int32Array): Float64Array => {
  for (let node = cover.length - 1; node >= 0; node--) {
    if (feature[node] !== LEAF) cover[node] = cover[left[node]!]! + cover[right[node]!]!
  }
  return cover
}
