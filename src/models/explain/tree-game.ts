import { CATEGORY_WORDS, type FlatForest, LEAF } from '../forest/flat-forest.ts'
import type { GameTrees } from './game-trees.ts'
import type { Quadrature } from './gauss-legendre.ts'

/** Codes that a set of categories has a bit for. */
const CATEGORY_CODES = 32 * CATEGORY_WORDS

/** What both passes over a tree read, and their working memory. All numbers of points stand side by side. */
export type TreeGame = {
  readonly trees: GameTrees
  readonly points: number
  /** The points t of the quadrature, 1 - t, and the weights. */
  readonly known: Float64Array
  readonly unknown: Float64Array
  readonly weights: Float64Array
  /** By point: the weight times -1 / (1 - t), for an edge that the row does not take. */
  readonly awayEffect: Float64Array
  /** By edge and point: 1 / (z (1 - t) + t), for an edge that a row takes. */
  readonly inverse: Float64Array
  /** By node, in the order of `trees`: what `FlatForest` says of its split. */
  readonly threshold: Float64Array
  readonly missingLeft: Uint8Array
  readonly categorySet: Int32Array
  readonly categoryWords: Int32Array
  /** By node: where the values of a leaf begin in `leaves`. */
  readonly leafAt: Int32Array
  readonly leaves: Float64Array
  /** Outputs that are carried through the passes, and those of the model. */
  readonly carried: number
  readonly outputs: number
  /** By node of a tree: whether the row takes the edge to it, and all edges above that belong to the same feature. */
  readonly taken: Uint8Array
  /** By node of a tree and point: the product of the factors of the edges on the way. */
  readonly products: Float64Array
  /** A stack of sums of value times product over the leaves below a node, by output and point. */
  readonly sums: Float64Array
  /** By point: what the sums of one edge are weighted with. */
  readonly effect: Float64Array
}

/** @param carried how many of the outputs are carried through the passes, the first ones */
export const createTreeGame = (
  forest: FlatForest,
  trees: GameTrees,
  { points: known, weights }: Quadrature,
  carried: number,
): TreeGame => {
  const { source, feature, share, largestTree, depth } = trees
  const points = known.length
  const unknown = known.map((t) => 1 - t)
  const inverse = new Float64Array(feature.length * points)
  for (let i = 0; i < inverse.length; i++) {
    const p = i % points
    inverse[i] = 1 / (share[(i - p) / points]! * unknown[p]! + known[p]!)
  }
  return {
    ...{ trees, points, known, unknown, weights, inverse, carried, outputs: forest.outputs },
    awayEffect: weights.map((weight, p) => -weight / unknown[p]!),
    threshold: Float64Array.from(source, (node) => forest.threshold[node]!),
    missingLeft: Uint8Array.from(source, (node) => forest.missingLeft[node]!),
    categorySet: Int32Array.from(source, (node) => forest.categorySet[node]!),
    categoryWords: forest.categoryWords,
    leafAt: Int32Array.from(source, (node) => forest.left[node]! * forest.outputs),
    leaves: forest.leaves,
    taken: new Uint8Array(largestTree),
    products: new Float64Array(largestTree * points),
    sums: new Float64Array((depth + 2) * carried * points),
    effect: new Float64Array(points),
  }
}

const isInSet = ({ categorySet, categoryWords, missingLeft }: TreeGame, node: number, value: number): boolean => {
  // A category that the training did not know goes where a missing value goes.
  if (!(value >= 0 && value < CATEGORY_CODES && Number.isInteger(value))) return missingLeft[node] === 1
  return ((categoryWords[categorySet[node]! + (value >> 5)]! >>> (value & 31)) & 1) === 1
}

/** Carries the products of one tree from its root to its leaves, for the row that begins at `row` of `features`. */
export const carryDown = (game: TreeGame, tree: number, features: Float64Array, row: number): void => {
  const { points, known, unknown, inverse, threshold, missingLeft, categorySet, taken, products } = game
  const { starts, feature, right, sameFeature, ratio, share } = game.trees
  const start = starts[tree]!
  const end = starts[tree + 1]!
  for (let p = 0; p < points; p++) products[p] = 1
  for (let node = start; node < end; node++) {
    const column = feature[node]!
    if (column === LEAF) continue
    const left = node + 1
    const other = right[node]!
    const above = sameFeature[node]!
    let own = (node - start) * points
    if (above >= 0 && taken[above - start] === 0) {
      // The row left the way of this feature further up: both sides stand for rows of the training only.
      taken[left - start] = 0
      taken[other - start] = 0
      const toLeft = ratio[left]!
      const toRight = ratio[other]!
      let atLeft = (left - start) * points
      let atRight = (other - start) * points
      for (let p = 0; p < points; p++) {
        const product = products[own++]!
        products[atLeft++] = product * toLeft
        products[atRight++] = product * toRight
      }
      continue
    }
    const value = features[row + column]!
    const isLeft =
      categorySet[node]! >= 0
        ? isInSet(game, node, value)
        : value <= threshold[node]! || (missingLeft[node] === 1 && Number.isNaN(value))
    const hot = isLeft ? left : other
    const cold = isLeft ? other : left
    taken[hot - start] = 1
    taken[cold - start] = 0
    const hotShare = share[hot]!
    const coldShare = share[cold]!
    let atHot = (hot - start) * points
    let atCold = (cold - start) * points
    if (above < 0) {
      for (let p = 0; p < points; p++) {
        const product = products[own++]!
        const u = unknown[p]!
        products[atHot++] = product * (hotShare * u + known[p]!)
        products[atCold++] = product * coldShare * u
      }
    } else {
      let atAbove = above * points
      for (let p = 0; p < points; p++) {
        const product = products[own++]! * inverse[atAbove++]!
        const u = unknown[p]!
        products[atHot++] = product * (hotShare * u + known[p]!)
        products[atCold++] = product * coldShare * u
      }
    }
  }
}

/**
 * Sets `effect` to what an edge weighs its sums with: (o - z) / (z (1 - t) + o t), less the same of the edge above that
 * it stands for, times the weights of the quadrature.
 */
const weigh = (game: TreeGame, edge: number, above: number, isTaken: boolean): void => {
  const { points, weights, awayEffect, inverse, effect } = game
  const { share } = game.trees
  if (isTaken) {
    const unseen = 1 - share[edge]!
    let own = edge * points
    for (let p = 0; p < points; p++) effect[p] = weights[p]! * unseen * inverse[own++]!
  } else {
    for (let p = 0; p < points; p++) effect[p] = awayEffect[p]!
  }
  if (above < 0) return
  const unseen = 1 - share[above]!
  let before = above * points
  for (let p = 0; p < points; p++) effect[p] = effect[p]! - weights[p]! * unseen * inverse[before++]!
}

/**
 * Carries the sums of one tree from its leaves to its root and adds the effect of each edge to `out`, at its feature.
 */
export const carryUp = (game: TreeGame, tree: number, out: Float64Array, at: number): void => {
  const { points, effect, leafAt, leaves, carried, outputs, taken, products, sums } = game
  const { starts, feature, right, sameFeature } = game.trees
  const start = starts[tree]!
  const slot = carried * points
  // Where the next slot of the stack begins.
  let top = 0
  // Backwards through preorder: a node comes after everything below it, its right side first.
  for (let node = starts[tree + 1]! - 1; node >= start; node--) {
    const column = feature[node]!
    if (column === LEAF) continue
    const above = sameFeature[node]!
    const isOpen = above < 0 || taken[above - start] === 1
    const to = at + column * outputs
    // The left side lies on top of the right one, where they lie on the stack at all.
    for (let side = 0; side < 2; side++) {
      const edge = side === 0 ? node + 1 : right[node]!
      const isLeaf = feature[edge] === LEAF
      if (!isLeaf) top -= slot
      if (!isOpen) continue
      weigh(game, edge, above, taken[edge - start] === 1)
      if (isLeaf) {
        let sum = 0
        let own = (edge - start) * points
        for (let p = 0; p < points; p++) sum += effect[p]! * products[own++]!
        const value = leafAt[edge]!
        for (let o = 0; o < carried; o++) out[to + o] = out[to + o]! + sum * leaves[value + o]!
      } else {
        let i = top
        for (let o = 0; o < carried; o++) {
          let sum = 0
          for (let p = 0; p < points; p++) sum += effect[p]! * sums[i++]!
          out[to + o] = out[to + o]! + sum
        }
      }
    }
    const left = node + 1
    const other = right[node]!
    const leftLeaf = feature[left] === LEAF
    const rightLeaf = feature[other] === LEAF
    // The sums of the right side begin at `top` now, those of the left side one slot above if both were there.
    if (!leftLeaf && !rightLeaf) {
      for (let i = top; i < top + slot; i++) sums[i] = sums[i]! + sums[i + slot]!
    } else if (leftLeaf && rightLeaf) {
      const leftProducts = (left - start) * points
      const rightProducts = (other - start) * points
      let i = top
      for (let o = 0; o < carried; o++) {
        const a = leaves[leafAt[left]! + o]!
        const b = leaves[leafAt[other]! + o]!
        for (let p = 0; p < points; p++) sums[i++] = a * products[leftProducts + p]! + b * products[rightProducts + p]!
      }
    } else {
      const leaf = leftLeaf ? left : other
      const leafProducts = (leaf - start) * points
      let i = top
      for (let o = 0; o < carried; o++) {
        const a = leaves[leafAt[leaf]! + o]!
        for (let p = 0; p < points; p++, i++) sums[i] = sums[i]! + a * products[leafProducts + p]!
      }
    }
    top += slot
  }
}
