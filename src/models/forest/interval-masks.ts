import {
  CHILD_WORD,
  COLUMN_BYTES,
  COLUMN_WORD,
  type ForestNodes,
  isLeaf,
  LEAF_ROW_WORD,
  NODE_BITS,
  NODE_WORDS,
  treeCount,
} from './forest-nodes.ts'
import type { ForestParts } from './forest-walk.ts'
import { MASK_LEAVES, MASK_PLACES, UNROLLED_MASKS } from './kernel/interval-kernel.ts'

/** A place where no leaf is. */
export const NO_LEAF = -1

const WORD_BITS = 32
const MASK_WORDS = MASK_LEAVES / WORD_BITS

/** A split of a feature: which leaves it takes from a row that goes the other way, as bits from ... to before ... */
type Split = {
  /** Place of its threshold among those of the feature. */
  readonly bound: number
  readonly missingLeft: boolean
  readonly rightFrom: number
  readonly leftFrom: number
  readonly leftEnd: number
}

/** A feature that the forest asks for. */
export type FeatureIntervals = {
  readonly feature: number
  /** Distinct thresholds, ascending: a value lies in interval `i` if it is above `i` of them. */
  readonly bounds: Float64Array
  readonly splits: readonly Split[]
}

/** Leaves as bits of masks, tree by tree; the leaves of each node stand side by side. */
export type ForestIntervals = {
  readonly features: readonly FeatureIntervals[]
  /** A multiple of `UNROLLED_MASKS`; the last ones may be empty. */
  readonly masks: number
  /** `MASK_PLACES` per mask: the row of leaves of each bit, or NO_LEAF. */
  readonly places: Int32Array
}

/** Masks that the trees need, each of which begins with a mask of its own. A tree has one leaf more than splits. */
export const maskCount = ({ bounds }: ForestNodes): number => {
  let masks = 0
  for (let tree = 0; tree < bounds.length - 1; tree++) {
    masks += Math.ceil(((bounds[tree + 1]! - bounds[tree]! + 1) >> 1) / MASK_LEAVES)
  }
  return Math.ceil(masks / UNROLLED_MASKS) * UNROLLED_MASKS
}

/** The distinct thresholds of each feature. A forest with category sets has none of this form. */
export const featureBounds = ({ nodes, columns, features }: ForestParts): Float64Array[] => {
  const { words, thresholds } = nodes
  const found = Array.from({ length: features }, () => new Set<number>())
  const featureOf = [...columns.right, ...columns.left]
  for (let node = 0; node < words.length / NODE_WORDS; node++) {
    if (isLeaf(nodes, node)) continue
    found[featureOf[words[node * NODE_WORDS + COLUMN_WORD]! / COLUMN_BYTES]!]!.add(thresholds[node * 2]!)
  }
  return found.map((set) => Float64Array.from(set).sort())
}

/**
 * Reads the nodes, which have been checked, into leaves and splits.
 * @param bounds of each feature
 */
export const readIntervals = (forest: ForestParts, bounds: readonly Float64Array[]): ForestIntervals => {
  const { nodes, columns } = forest
  const { words, thresholds } = nodes
  const featureOf = [...columns.right, ...columns.left]
  const boundPlaces = bounds.map((values) => new Map(Array.from(values, (value, place) => [value, place] as const)))
  const splits: Split[][] = bounds.map(() => [])
  const masks = maskCount(nodes)
  const places = new Int32Array(masks * MASK_PLACES).fill(NO_LEAF)

  /** Numbers the leaves below a node, from `from` on. @returns the number after the last one */
  const number = (node: number, from: number): number => {
    const at = node * NODE_WORDS
    if (isLeaf(nodes, node)) {
      places[Math.floor(from / MASK_LEAVES) * MASK_PLACES + (from % MASK_LEAVES)] = words[at + LEAF_ROW_WORD]!
      return from + 1
    }
    const right = words[at + CHILD_WORD]! >> NODE_BITS
    const leftFrom = number(right, from)
    const leftEnd = number(right + 1, leftFrom)
    const column = words[at + COLUMN_WORD]! / COLUMN_BYTES
    const feature = featureOf[column]!
    const bound = boundPlaces[feature]!.get(thresholds[node * 2]!)!
    splits[feature]!.push({ bound, missingLeft: column >= columns.right.length, rightFrom: from, leftFrom, leftEnd })
    return leftEnd
  }
  let next = 0
  for (let tree = 0; tree < treeCount(nodes); tree++) {
    next = Math.ceil(number(nodes.bounds[tree]!, next) / MASK_LEAVES) * MASK_LEAVES
  }
  const asked = splits.flatMap((own, feature) =>
    own.length === 0 ? [] : [{ feature, bounds: bounds[feature]!, splits: own }],
  )
  return { features: asked, masks, places }
}

/** Sets the bits from `from` to before `to`. */
const setBits = (words: Int32Array, from: number, to: number): void => {
  for (let bit = from; bit < to; bit++) words[bit >> 5]! |= 1 << (bit & 31)
}

/**
 * Writes which leaves a row may still fall into by the interval that its value lies in. The leaf of a tree is the one
 * bit that is left by all features.
 * @param out `masks` masks for each interval, of which there is one more than bounds, and for a missing value
 */
export const fillMasks = ({ bounds, splits }: FeatureIntervals, masks: number, out: Int32Array): void => {
  const width = masks * MASK_WORDS
  const taken = new Int32Array(width)
  const byBound: Split[][] = Array.from(bounds, () => [])
  for (const split of splits) byBound[split.bound]!.push(split)
  // A value above fewer bounds than a split's place goes left, and loses the leaves on the right.
  for (let interval = bounds.length; interval >= 0; interval--) {
    for (const split of byBound[interval] ?? []) setBits(taken, split.rightFrom, split.leftFrom)
    out.set(taken, interval * width)
  }
  taken.fill(0)
  for (let interval = 0; interval <= bounds.length; interval++) {
    const at = interval * width
    for (let word = 0; word < width; word++) out[at + word] = ~(out[at + word]! | taken[word]!)
    for (const split of byBound[interval] ?? []) setBits(taken, split.leftFrom, split.leftEnd)
  }
  taken.fill(0)
  for (const { missingLeft, rightFrom, leftFrom, leftEnd } of splits) {
    if (missingLeft) setBits(taken, rightFrom, leftFrom)
    else setBits(taken, leftFrom, leftEnd)
  }
  for (let word = 0; word < width; word++) out[(bounds.length + 1) * width + word] = ~taken[word]!
}
