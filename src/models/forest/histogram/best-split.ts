import { type BinnedRows, MAX_BINS } from './binned-rows.ts'
import { takePresent } from './present-codes.ts'
import { type BestSplit, Side } from './split-search.ts'

export const createBestSplit = (): BestSplit => ({
  column: -1,
  score: Number.NEGATIVE_INFINITY,
  code: 0,
  nextCode: 0,
  sides: new Uint8Array(MAX_BINS),
  isCategory: false,
  missingLeft: false,
  missingSeen: false,
})

/** What a search found out about one feature in a node. */
export type FeatureCodes = {
  column: number
  /** Codes that occur, in the order in which they are cut; missing values are left out. */
  readonly order: Int32Array
  count: number
  /** Bins or categories of the feature. */
  bins: number
  isCategory: boolean
  missingSeen: boolean
}

export const createFeatureCodes = (): FeatureCodes => ({
  column: 0,
  order: new Int32Array(MAX_BINS),
  count: 0,
  bins: 0,
  isCategory: false,
  missingSeen: false,
})

/** Turns to a column. @param present a bit for each of its codes that occurs in the node; emptied */
export const takeFeature = (
  feature: FeatureCodes,
  column: number,
  { bins, categories }: BinnedRows,
  present: Int32Array,
): void => {
  feature.column = column
  feature.bins = bins[column]!
  feature.isCategory = categories[column]! > 0
  feature.count = takePresent(present, feature.order)
  feature.missingSeen = feature.order[feature.count - 1] === feature.bins
  if (feature.missingSeen) feature.count--
}

/** Puts the cut after `position` of the order in place of the best split. */
export const takeCut = (
  best: BestSplit,
  feature: FeatureCodes,
  position: number,
  score: number,
  missingLeft: boolean,
): void => {
  const { order, count, bins } = feature
  best.column = feature.column
  best.score = score
  best.isCategory = feature.isCategory
  best.missingSeen = feature.missingSeen
  best.missingLeft = missingLeft
  best.code = order[position]!
  best.nextCode = position + 1 < count ? order[position + 1]! : bins
  if (!feature.isCategory) return
  best.sides.fill(Side.absent)
  for (let i = 0; i < count; i++) best.sides[order[i]!] = i <= position ? Side.left : Side.right
}
