import type { Random } from '../../../features/random.ts'
import { createBestSplit } from './best-split.ts'
import { type BinnedRows, MAX_BINS } from './binned-rows.ts'
import { midpoint } from './cut-points.ts'
import type { ForestBuilder } from './forest-builder.ts'
import type { GrowthRules } from './growth-rules.ts'
import { type NodeRows, Side, type SplitSearch } from './split-search.ts'

/**
 * The threshold of a split that sends every number left and only missing values right. float32, which exported models
 * may be read in, holds it.
 */
const ABOVE_ALL = 2 ** 127

/** Numbers per node that waits to be grown. */
const FRAME = { from: 0, to: 1, depth: 2, parent: 3, size: 4 } as const

/**
 * Moves the rows that go left to the front of the node's rows, both sides in their order: ascending row numbers read
 * memory forwards.
 * @returns where the right side begins
 */
const partition = (
  codes: Uint8Array,
  codesAt: number,
  { rows, from, to }: NodeRows,
  goesLeft: Uint8Array,
  aside: Int32Array,
): number => {
  let left = from
  let right = 0
  // Each row is written to both sides, and one of them moves on: a branch would be mispredicted half the time.
  for (let i = from; i < to; i++) {
    const row = rows[i]!
    const toLeft = goesLeft[codes[codesAt + row]!]!
    rows[left] = row
    aside[right] = row
    left += toLeft
    right += 1 - toLeft
  }
  for (let i = 0; i < right; i++) rows[left + i] = aside[i]!
  return left
}

/**
 * Grows one tree after another into `builder`, depth first and left first, in memory that is taken once. As in
 * scikit-learn, a split looks at randomly drawn features, and draws on beyond their number until a feature allows a
 * split; a split need not lessen the impurity.
 */
export const createTreeGrower = (
  binned: BinnedRows,
  search: SplitSearch,
  rules: GrowthRules,
  builder: ForestBuilder,
): ((weights: Int32Array, random: Random) => void) => {
  const { columns } = binned
  const deepest = Math.min(rules.maxDepth, binned.rows)
  const frames = new Int32Array(FRAME.size * (deepest + 2))
  // One set of statistics per waiting node, and one for a right child until its parent's are no longer needed.
  const width = search.statistics
  const statistics = new Float64Array(width * (deepest + 3))
  const aside = width * (deepest + 2)
  const node: NodeRows = { rows: new Int32Array(binned.rows), from: 0, to: 0 }
  const moved = new Int32Array(binned.rows)
  const features = new Int32Array(columns)
  const goesLeft = new Uint8Array(MAX_BINS)
  const best = createBestSplit()

  const isLeaf = (depth: number, at: number): boolean => {
    const rows = node.to - node.from
    return (
      depth >= rules.maxDepth ||
      rows < rules.minSamplesSplit ||
      rows < 2 * rules.minSamplesLeaf ||
      search.isPure(node, statistics, at)
    )
  }

  const findSplit = (at: number, random: Random): boolean => {
    best.column = -1
    best.score = Number.NEGATIVE_INFINITY
    for (let drawn = 0; drawn < columns && (drawn < rules.featuresPerSplit || best.column < 0); drawn++) {
      const other = drawn + Math.floor(random.next() * (columns - drawn))
      const column = features[other]!
      features[other] = features[drawn]!
      features[drawn] = column
      search.search(column, node, statistics, at, best)
    }
    return best.column >= 0
  }

  /** Marks the codes that go left. Codes that the node does not have go as missing values do. */
  const markLeft = (missingLeft: boolean): void => {
    const bins = binned.bins[best.column]!
    if (best.isCategory) {
      for (let code = 0; code < bins; code++) {
        const side = best.sides[code]!
        goesLeft[code] = side === Side.absent ? Number(missingLeft) : side
      }
    } else {
      goesLeft.fill(1, 0, best.code + 1)
      goesLeft.fill(0, best.code + 1, bins)
    }
    goesLeft.fill(Number(missingLeft), bins)
  }

  const thresholdOf = (): number => {
    const { column, code, nextCode } = best
    if (best.isCategory) return 0
    if (nextCode === binned.bins[column]) return Math.max(ABOVE_ALL, binned.highest[column * MAX_BINS + code]!)
    return midpoint(binned.highest[column * MAX_BINS + code]!, binned.lowest[column * MAX_BINS + nextCode]!)
  }

  const setSplit = (at: number, left: number, right: number): void => {
    const { missingSeen } = best
    const missingLeft = missingSeen
      ? best.missingLeft
      : search.cover(statistics, left) >= search.cover(statistics, right)
    builder.setSplit(at, best.column, thresholdOf(), missingLeft)
    if (!best.isCategory) return
    markLeft(missingLeft)
    builder.setCategories(at, goesLeft)
  }

  return (weights, random) => {
    search.startTree(weights)
    builder.startTree()
    // A tree must not depend on the trees that were grown before it.
    for (let column = 0; column < columns; column++) features[column] = column
    let rows = 0
    for (let row = 0; row < weights.length; row++) if (weights[row]! > 0) node.rows[rows++] = row
    node.from = 0
    node.to = rows
    search.measure(node, statistics, 0)
    frames.set([0, rows, 0, -1])
    let waiting = 1
    while (waiting > 0) {
      waiting--
      const frame = waiting * FRAME.size
      const at = waiting * width
      const from = frames[frame + FRAME.from]!
      const to = frames[frame + FRAME.to]!
      const depth = frames[frame + FRAME.depth]!
      const parent = frames[frame + FRAME.parent]!
      node.from = from
      node.to = to

      const number = builder.addNode(search.cover(statistics, at))
      // A parent is noted as twice its number, and one more for its right child.
      if (parent >= 0) {
        if (parent % 2 === 0) builder.linkLeft(parent >> 1, number)
        else builder.linkRight(parent >> 1, number)
      }
      if (isLeaf(depth, at) || !findSplit(at, random)) {
        const leaf = builder.setLeaf(number)
        search.writeLeaf(statistics, at, builder.leaves(), leaf)
        continue
      }

      markLeft(best.missingLeft)
      const middle = partition(binned.codes, best.column * binned.rows, node, goesLeft, moved)
      const left = at + width
      node.to = middle
      search.measure(node, statistics, left)
      node.from = middle
      node.to = to
      search.measureRight(node, at, left, statistics, aside)
      setSplit(number, left, aside)
      statistics.copyWithin(at, aside, aside + width)
      frames[frame + FRAME.from] = middle
      frames[frame + FRAME.to] = to
      frames[frame + FRAME.depth] = depth + 1
      frames[frame + FRAME.parent] = 2 * number + 1
      const below = frame + FRAME.size
      frames[below + FRAME.from] = from
      frames[below + FRAME.to] = middle
      frames[below + FRAME.depth] = depth + 1
      frames[below + FRAME.parent] = 2 * number
      waiting += 2
    }
  }
}
