/** The best cut of an order of codes: those up to `position` go left. */
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
  readonly minSamplesLeaf: number
}

/**
 * Two classes of equal weight by the Gini impurity. The weighted impurity of both sides is least where
 * `sum(l_c^2) / l + sum(r_c^2) / r` is greatest, c over the classes (Breiman et al., 1984, section 4.3, rearranged).
 * A side's sum of squares is `n^2 - 2 a b`.
 */
export const scanTwoClasses = (scan: ClassScan, codes: number, found: FoundCut): void => {
  const { histogram, order, total, totalAt, leftFirst, minSamplesLeaf } = scan
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
  for (let position = 0; position < codes; position++) {
    const code = 2 * order[position]!
    const ofA = histogram[code]!
    a += ofA
    left += ofA + histogram[code + 1]!
    const right = all - left
    if (left < minSamplesLeaf || right < minSamplesLeaf) continue
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
export const scanGini = (scan: ClassScan, codes: number, found: FoundCut, left: Float64Array): void => {
  const { classes, histogram, order, total, totalAt, leftFirst, classWeights, minSamplesLeaf } = scan
  let drawnLeft = 0
  let drawnRight = 0
  let weightLeft = 0
  let weightRight = 0
  let squaresLeft = 0
  let squaresRight = 0
  for (let c = 0; c < classes; c++) {
    const start = leftFirst < 0 ? 0 : histogram[leftFirst * classes + c]!
    const rest = total[totalAt + c]! - start
    const weight = classWeights[c]!
    drawnLeft += start
    drawnRight += rest
    weightLeft += start * weight
    weightRight += rest * weight
    squaresLeft += (start * weight) ** 2
    squaresRight += (rest * weight) ** 2
    left[c] = start * weight
  }
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position < codes; position++) {
    const code = order[position]! * classes
    for (let c = 0; c < classes; c++) {
      const moved = histogram[code + c]!
      if (moved === 0) continue
      const weight = classWeights[c]!
      const gain = moved * weight
      const l = left[c]!
      const r = total[totalAt + c]! * weight - l
      drawnLeft += moved
      drawnRight -= moved
      weightLeft += gain
      weightRight -= gain
      squaresLeft += gain * (2 * l + gain)
      squaresRight -= gain * (2 * r - gain)
      left[c] = l + gain
    }
    if (drawnLeft < minSamplesLeaf || drawnRight < minSamplesLeaf) continue
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
export const scanEntropy = (scan: ClassScan, codes: number, found: FoundCut, left: Float64Array): void => {
  const { classes, histogram, order, total, totalAt, leftFirst, classWeights, minSamplesLeaf } = scan
  let drawnLeft = 0
  let drawnRight = 0
  for (let c = 0; c < classes; c++) {
    left[c] = leftFirst < 0 ? 0 : histogram[leftFirst * classes + c]!
    drawnLeft += left[c]!
    drawnRight += total[totalAt + c]! - left[c]!
  }
  found.position = -1
  let best = Number.NEGATIVE_INFINITY
  for (let position = 0; position < codes; position++) {
    const code = order[position]! * classes
    for (let c = 0; c < classes; c++) {
      const moved = histogram[code + c]!
      drawnLeft += moved
      drawnRight -= moved
      left[c] = left[c]! + moved
    }
    if (drawnLeft < minSamplesLeaf || drawnRight < minSamplesLeaf) continue
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
