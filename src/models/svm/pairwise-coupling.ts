const MAX_SWEEPS = 100

/** Pairs (first, second) with first < second, in order: (0,1), (0,2), ..., (1,2), ... */
export const pairsOf = (classes: number): [first: number, second: number][] =>
  Array.from({ length: classes }, (_, first) =>
    Array.from({ length: classes - first - 1 }, (_, i): [number, number] => [first, first + 1 + i]),
  ).flat()

/** The place of class `other` among all classes but `own`. */
export const coefficientSlot = (own: number, other: number): number => (other < own ? other : other - 1)

/**
 * Turns the probabilities of pairs into probabilities of classes: the p that minimises
 * `sum over i != j of (r_ji p_i - r_ij p_j)^2` with sum 1, by the fixed-point sweeps of Wu, Lin, Weng, "Probability
 * estimates for multi-class classification by pairwise coupling", JMLR 5 (2004), second method, algorithm 2.
 * @returns a function that reads `r[first * classes + second] = P(first | first or second)`, each within (0, 1), for
 *   all ordered pairs, and writes `classes` probabilities from `at` on; it keeps its working memory
 */
export const createCoupling = (classes: number): ((r: Float64Array, out: Float64Array, at: number) => void) => {
  const q = new Float64Array(classes * classes)
  const qp = new Float64Array(classes)
  // LIBSVM stops at 0.005 / classes; a closer stop costs a few sweeps and gives the same figures from any start.
  const tolerance = 1e-10 / classes

  const fillQ = (r: Float64Array): void => {
    for (let t = 0; t < classes; t++) {
      let diagonal = 0
      for (let j = 0; j < classes; j++) {
        if (j === t) continue
        diagonal += r[j * classes + t]! ** 2
        q[t * classes + j] = -r[j * classes + t]! * r[t * classes + j]!
      }
      q[t * classes + t] = diagonal
    }
  }

  return (r, out, at) => {
    if (classes === 2) {
      out[at] = r[1]!
      out[at + 1] = 1 - r[1]!
      return
    }
    fillQ(r)
    for (let t = 0; t < classes; t++) out[at + t] = 1 / classes
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
      let pqp = 0
      for (let t = 0; t < classes; t++) {
        let sum = 0
        for (let j = 0; j < classes; j++) sum += q[t * classes + j]! * out[at + j]!
        qp[t] = sum
        pqp += out[at + t]! * sum
      }
      let error = 0
      for (let t = 0; t < classes; t++) error = Math.max(error, Math.abs(qp[t]! - pqp))
      if (error < tolerance) break

      for (let t = 0; t < classes; t++) {
        const diagonal = q[t * classes + t]!
        const change = (pqp - qp[t]!) / diagonal
        const norm = 1 + change
        out[at + t] = out[at + t]! + change
        pqp = (pqp + change * (change * diagonal + 2 * qp[t]!)) / (norm * norm)
        for (let j = 0; j < classes; j++) {
          qp[j] = (qp[j]! + change * q[t * classes + j]!) / norm
          out[at + j] = out[at + j]! / norm
        }
      }
    }
    // Rounding over many sweeps: the last division makes the sum exact again.
    let sum = 0
    for (let t = 0; t < classes; t++) sum += out[at + t]!
    for (let t = 0; t < classes; t++) out[at + t] = out[at + t]! / sum
  }
}
