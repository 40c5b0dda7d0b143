import type { ForestParts, SumLeaves } from './forest-walk.ts'
import { featureBounds, fillMasks, maskCount, NO_LEAF, readIntervals } from './interval-masks.ts'
import { FEATURE_WORDS, MASK_BYTES, openIntervalKernel } from './kernel/interval-kernel.ts'
import { createLayout } from './kernel/kernel-layout.ts'
import { kernelMemories } from './kernel/kernel-memory.ts'

const FLOAT_BYTES = Float64Array.BYTES_PER_ELEMENT
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT

/** Masks are read in no order, so they should stay in the caches of a core. */
const MAX_TABLE_BYTES = 4 * 2 ** 20

/** Masks, sums and places of the loop have to stay in registers, most of them. */
const MAX_FEATURES = 12
const MAX_OUTPUTS = 16

/** Trees are read by a function that calls itself. */
const MAX_DEPTH = 512

/** Machine operations that a step of a walk and a mask take, apart from what is added for each feature. */
const STEP_COST = 9
const MASK_COST = 8

const BLOCK_ROWS = 256

/** Bounds and as many places, to a power of two that leaves one beyond all bounds for a missing value. */
const boundSlots = (bounds: number): number => 2 ** Math.ceil(Math.log2(bounds + 2))

/** The thresholds of each feature, if reading masks is less work than walking. */
const suitableBounds = (forest: ForestParts, depths: Int32Array): Float64Array[] | null => {
  const { nodes, columns, outputs } = forest
  if (columns.sets.length > 0 || outputs > MAX_OUTPUTS) return null
  const masks = maskCount(nodes)
  const asked = new Set([...columns.right, ...columns.left]).size
  const steps = depths.reduce((sum, depth) => sum + Math.max(1, depth), 0)
  if (asked > MAX_FEATURES || masks * (MASK_COST + asked) > steps * STEP_COST) return null
  if (depths.some((depth) => depth > MAX_DEPTH)) return null
  const bounds = featureBounds(forest)
  const intervals = bounds.reduce((sum, { length }) => sum + length + 2, 0)
  return intervals * masks * MASK_BYTES <= MAX_TABLE_BYTES && intervals > 2 * bounds.length ? bounds : null
}

/**
 * Scores without a walk. Where a value lies among the thresholds of its feature says which leaves of every tree it
 * leaves possible, as bits of masks; the masks of all features have one bit of each tree in common. It is QuickScorer
 * (Lucchese and others, SIGIR 2015) with a mask for each interval of a feature, made beforehand, in place of one for
 * each node. The leaves are added in the order of the trees, so the sums are those of the walk, bit by bit.
 * @param forest checked
 * @param depths of its trees
 * @returns null where a walk is less work: for large trees, many features or category sets
 */
export const openIntervalSum = (forest: ForestParts, depths: Int32Array): SumLeaves | null => {
  const suitable = suitableBounds(forest, depths)
  if (suitable === null) return null
  const { leaves, features: width, outputs, base } = forest
  const { features, masks, places } = readIntervals(forest, suitable)
  const rowBytes = width * FLOAT_BYTES

  const layout = createLayout()
  const tableAt = layout.take(features.length * FEATURE_WORDS * WORD_BYTES)
  const placed = features.map((feature) => {
    const slots = boundSlots(feature.bounds.length)
    const boundsAt = layout.take(2 * slots * FLOAT_BYTES)
    return { feature, slots, boundsAt, masksAt: layout.take((feature.bounds.length + 2) * masks * MASK_BYTES) }
  })
  const placesAt = layout.take(places.byteLength)
  const leavesAt = layout.take(leaves.byteLength + outputs * FLOAT_BYTES)
  const rowsAt = layout.take(BLOCK_ROWS * rowBytes)
  const sumsAt = layout.take(BLOCK_ROWS * outputs * FLOAT_BYTES)
  const memory = kernelMemories.take(layout.bytes())
  if (memory === null) return null

  const { buffer } = memory
  const table = new Int32Array(buffer, tableAt, features.length * FEATURE_WORDS)
  placed.forEach(({ feature, slots, boundsAt, masksAt }, index) => {
    const { bounds } = feature
    const halfBytes = (slots / 2) * FLOAT_BYTES
    table.set([feature.feature * FLOAT_BYTES, boundsAt, halfBytes], index * FEATURE_WORDS)
    // A number is not above infinity, and NaN is above everything.
    const stored = new Float64Array(buffer, boundsAt, slots).fill(Number.POSITIVE_INFINITY)
    stored.set(bounds, 1)
    const intervalPlaces = new Int32Array(buffer, boundsAt + slots * FLOAT_BYTES, slots * 2)
    for (let slot = 0; slot < slots; slot++) {
      intervalPlaces[slot * 2] = masksAt + Math.min(slot, bounds.length + 1) * masks * MASK_BYTES
    }
    const words = ((bounds.length + 2) * masks * MASK_BYTES) / WORD_BYTES
    fillMasks(feature, masks, new Int32Array(buffer, masksAt, words))
  })
  const memoryLeaves = new Float64Array(buffer, leavesAt, leaves.length + outputs)
  memoryLeaves.set(leaves)
  memoryLeaves.fill(0, leaves.length)
  const noLeaf = leaves.length / outputs
  const leafPlaces = places.map((row) => leavesAt + (row === NO_LEAF ? noLeaf : row) * outputs * FLOAT_BYTES)
  new Int32Array(buffer, placesAt, places.length).set(leafPlaces)
  const memoryRows = new Float64Array(buffer, rowsAt, BLOCK_ROWS * width)
  const sums = new Float64Array(buffer, sumsAt, BLOCK_ROWS * outputs)
  const kernel = openIntervalKernel(features.length, outputs, memory)
  const placesEnd = placesAt + places.byteLength

  const sum: SumLeaves = (rows, from, count, out, at) => {
    for (let row = 0; row < count; row += BLOCK_ROWS) {
      const blockRows = Math.min(BLOCK_ROWS, count - row)
      const first = from + row * width
      for (let i = 0; i < blockRows * width; i++) memoryRows[i] = rows[first + i]!
      for (let i = 0; i < blockRows * outputs; i += outputs) {
        for (let o = 0; o < outputs; o++) sums[i + o] = base[o]!
      }
      kernel.addRows(rowsAt, rowsAt + blockRows * rowBytes, rowBytes, tableAt, placesAt, placesEnd, sumsAt)
      const to = at + row * outputs
      for (let i = 0; i < blockRows * outputs; i++) out[to + i] = sums[i]!
    }
  }
  kernelMemories.giveBackAfter(sum, memory)
  return sum
}
