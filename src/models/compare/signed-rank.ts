import { normalTail } from './normal-tail.ts'

/** Up to here the distribution of the statistic is counted out, where no two differences are equally great. */
const EXACT_UNTIL = 50

export type SignedRankResult = {
  /** Sum of the ranks of the positive differences. */
  readonly statistic: number
  /** Differences that are not 0. */
  readonly count: number
  readonly pTwoSided: number
  /** One-sided: small where the differences lie above 0. */
  readonly pGreater: number
}

/** How many sign patterns of the ranks 1 to `count` give each sum, as shares of all. */
const exactShares = (count: number): Float64Array => {
  const most = (count * (count + 1)) / 2
  const shares = new Float64Array(most + 1)
  shares[0] = 1
  for (let rank = 1; rank <= count; rank++) {
    for (let sum = most; sum >= 0; sum--) {
      shares[sum] = (shares[sum]! + (sum >= rank ? shares[sum - rank]! : 0)) / 2
    }
  }
  return shares
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)

/**
 * Wilcoxon's signed-rank test of paired differences: whether they lie evenly about 0. Differences of 0 are left out
 * (Wilcoxon's own way), equal ones share their mean rank. The p-value is exact for up to 50 differences of which no two
 * are equally great; else by the normal approximation with the correction for ties, without one for continuity. These
 * are the choices of scipy's `wilcoxon(method='auto')`, except that scipy also leaves the exact way where zeros occur.
 */
export const signedRankTest = (differences: Float64Array): SignedRankResult => {
  const kept = differences.filter((value) => value !== 0)
  const count = kept.length
  if (count === 0) return { statistic: 0, count, pTwoSided: 1, pGreater: 1 }
  const order = Uint32Array.from(kept, (_, i) => i).sort((a, b) => Math.abs(kept[a]!) - Math.abs(kept[b]!))

  let statistic = 0
  let ties = 0
  for (let first = 0; first < count; ) {
    let end = first + 1
    while (end < count && Math.abs(kept[order[end]!]!) === Math.abs(kept[order[first]!]!)) end++
    const rank = (first + 1 + end) / 2
    for (let at = first; at < end; at++) if (kept[order[at]!]! > 0) statistic += rank
    const size = end - first
    ties += size ** 3 - size
    first = end
  }

  if (count <= EXACT_UNTIL && ties === 0) {
    const shares = exactShares(count)
    const pGreater = sumOf(shares.subarray(statistic))
    const pLess = sumOf(shares.subarray(0, statistic + 1))
    return { statistic, count, pTwoSided: Math.min(1, 2 * Math.min(pGreater, pLess)), pGreater }
  }
  const mean = (count * (count + 1)) / 4
  const variance = (count * (count + 1) * (2 * count + 1) - ties / 2) / 24
  const z = (statistic - mean) / Math.sqrt(variance)
  return { statistic, count, pTwoSided: Math.min(1, 2 * normalTail(Math.abs(z))), pGreater: normalTail(z) }
}
