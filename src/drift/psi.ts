import type { Sample } from './ks-test.ts'

/** A reference sample cut into bins: bin i holds the values above edge i - 1 and up to edge i; the last has no end. */
export type PsiBins = {
  readonly edges: readonly number[]
  /** Share of the reference in each bin; one more than there are edges. */
  readonly shares: readonly number[]
}

const DEFAULT_BINS = 10

/** Index of the first value above `limit` in ascending values. */
const countUpTo = (sorted: Float64Array, limit: number): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low
}

const sharesBetween = (sorted: Float64Array, edges: readonly number[]): number[] => {
  const ends = [...edges.map((edge) => countUpTo(sorted, edge)), sorted.length]
  return ends.map((end, bin) => (end - (ends[bin - 1] ?? 0)) / sorted.length)
}

/**
 * Cuts a sample at its quantiles into at most `bins` bins. Values that repeat share a bin, so discrete data gets fewer.
 * An empty sample gives one bin.
 */
export const createPsiBins = (sample: Sample, bins = DEFAULT_BINS): PsiBins => {
  const { sorted } = sample
  if (sorted.length === 0) return { edges: [], shares: [1] }
  const edges = new Set<number>()
  for (let bin = 1; bin < bins; bin++) {
    const edge = sorted[Math.ceil((bin * sorted.length) / bins) - 1]!
    if (edge < sorted[sorted.length - 1]!) edges.add(edge)
  }
  const ascending = [...edges]
  return { edges: ascending, shares: sharesBetween(sorted, ascending) }
}

/** Shares are floored here, so that an empty bin costs a finite amount. */
const MIN_SHARE = 1e-4

/**
 * Population stability index of two lists of shares: sum over bins of (a - e) ln(a / e), a the share of the sample and
 * e that of the reference (the symmetrised Kullback-Leibler divergence; Siddiqi 2006, "Credit Risk Scorecards").
 *
 * @param minShare shares are floored here
 * @returns 0 or more
 */
export const shareStability = (
  expected: readonly number[],
  actual: readonly number[],
  minShare = MIN_SHARE,
): number => {
  let sum = 0
  actual.forEach((share, bin) => {
    const a = Math.max(share, minShare)
    const e = Math.max(expected[bin]!, minShare)
    sum += (a - e) * Math.log(a / e)
  })
  return sum
}

/**
 * Population stability index of a sample over the bins of a reference; see `shareStability`. It is reported as an
 * effect size and decides nothing: without any drift it is near (bins - 1) (1/n1 + 1/n2), so a fixed limit means
 * something else at every sample size.
 *
 * @returns 0 or more; NaN for an empty sample
 */
export const populationStability = (bins: PsiBins, sample: Sample, minShare = MIN_SHARE): number =>
  sample.sorted.length === 0
    ? Number.NaN
    : shareStability(bins.shares, sharesBetween(sample.sorted, bins.edges), minShare)
