import type { CutRange } from './cut-range.ts'

/** The best cut of an order of codes: those up to `position` go left, -1 where none is allowed. */
export type FoundCut = { position: number; score: number }

/** What a scan reads; one object serves all scans. */
export type ClassScan = {
  readonly classes: number
  /** Drawn rows, by code and class. */
  readonly histogram: Int32Array
  /** Codes in the order in which they are to be cut. */
  readonly order: Int32Array
  /** Drawn rows of the node by class, those with missing values among them. */
  total: Float64Array
  totalAt: number
  /** Code of the rows that are on the left before the first cut, or -1 for none. */
  leftFirst: number
  readonly classWeights: Float64Array
  /** Where the order may be cut. */
  readonly range: CutRange
}

/**
 * Two classes of equal weight by the Gini impurity. The weighted impurity of both sides is least where
 * `sum(l_c^2) / l + sum(r_c^2) / r` is greatest, c over the classes (Breiman et al., 1984, section 4.3, rearranged).
 * A side's sum of squares is `n^2 - 2 a b`.
 */
export const scanTwoClasses = (scan: ClassScan, found: FoundCut): void => {
  const { histogram, order, total, totalAt, leftFirst } = scan
  const { first, last } = scan.range
  const totalA = total[totalAt]!
  const all = totalA + total[totalAt + 1]!
  let a = 0
  let left = 0
  if (leftFirst >= 0) {
    a = histogram[2 * leftFirst]!
    left = a + histogram[2 * leftFirst + 1]!
  }
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position <= last; position++) {
    const code = 2 * order[position]!
    const ofA = histogram[code]!
    a += ofA
    left += ofA + histogram[code + 1]!
    if (position < first) continue
    const right = all - left
    const c = totalA - a
    const score = left + right - 2 * ((a * (left - a)) / left + (c * (right - c)) / right)
    if (score > best) {
      best = score
      found.position = position
    }
  }
  found.score = best
}

/** Any classes and weights by the Gini impurity, with the same score. @param left working memory, one per class */
export const scanGini = (scan: ClassScan, found: FoundCut, left: Float64Array): void => {
  const { classes, histogram, order, total, totalAt, leftFirst, classWeights } = scan
  const { first, last } = scan.range
  let weightLeft = 0
  let weightRight = 0
  let squaresLeft = 0
  let squaresRight = 0
  for (let c = 0; c < classes; c++) {
    const start = leftFirst < 0 ? 0 : histogram[leftFirst * classes + c]!
    const rest = total[totalAt + c]! - start
    const weight = classWeights[c]!
    weightLeft += start * weight
    weightRight += rest * weight
    squaresLeft += (start * weight) ** 2
    squaresRight += (rest * weight) ** 2
    left[c] = start * weight
  }
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position <= last; position++) {
    const code = order[position]! * classes
    for (let c = 0; c < classes; c++) {
      const moved = histogram[code + c]!
      if (moved === 0) continue
      const weight = classWeights[c]!
      const gain = moved * weight
      const l = left[c]!
      const r = total[totalAt + c]! * weight - l
      weightLeft += gain
      weightRight -= gain
      squaresLeft += gain * (2 * l + gain)
      squaresRight -= gain * (2 * r - gain)
      left[c] = l + gain
    }
    if (position < first) continue
    const score = squaresLeft / weightLeft + squaresRight / weightRight
    if (score > best) {
      best = score
      found.position = position
    }
  }
  found.score = best
}

const logged = (x: number): number => (x > 0 ? x * Math.log(x) : 0)

/**
 * Any classes and weights by entropy: the weighted entropy of both sides is least where
 * `sum(l_c ln l_c) - l ln l + sum(r_c ln r_c) - r ln r` is greatest.
 */
export const scanEntropy = (scan: ClassScan, found: FoundCut, left: Float64Array): void => {
  const { classes, histogram, order, total, totalAt, leftFirst, classWeights } = scan
  const { first, last } = scan.range
  for (let c = 0; c < classes; c++) left[c] = leftFirst < 0 ? 0 : histogram[leftFirst * classes + c]!
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position <= last; position++) {
    const code = order[position]! * classes
    for (let c = 0; c < classes; c++) left[c] = left[c]! + histogram[code + c]!
    if (position < first) continue
    let weightLeft = 0
    let weightRight = 0
    let score = 0
    for (let c = 0; c < classes; c++) {
      const weight = classWeights[c]!
      const l = left[c]! * weight
      const r = (total[totalAt + c]! - left[c]!) * weight
      weightLeft += l
      weightRight += r
      score += logged(l) + logged(r)
    }
    score -= logged(weightLeft) + logged(weightRight)
    if (score > best) {
      best = score
      found.position = position
    }
  }
  found.score = best
}
