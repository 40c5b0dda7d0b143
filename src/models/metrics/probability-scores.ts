import { bestClass } from '../best-class.ts'

/** How far probabilities can be believed. Less is better in all three. */
export type ProbabilityScores = { log_loss: number; brier_score: number; calibration_error: number }

/** One sure mistake costs `-ln` of this, 34.5, and not infinity. */
const LEAST_PROBABILITY = 1e-15

const BINS = 10

/**
 * Three figures of probabilities against the truth.
 * - log-loss: mean of `-ln(probability of the true class)`, the probability floored at 1e-15;
 * - Brier score: mean over rows of `sum over classes of (probability - truth)^2`, from 0 to 2 (Brier 1950, eq. 2);
 * - expected calibration error: `sum over bins of |hits - sum of top probabilities| / rows`, over 10 bins of equal width
 *   of the greatest probability, each open on the left (Guo et al. 2017, eq. 3).
 * @param probabilities row-major, `labels.length * classes`
 * @param labels class indices, at least one row
 */
export const scoreProbabilities = (
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): ProbabilityScores => {
  const gaps = new Float64Array(BINS)
  let logLoss = 0
  let brier = 0
  labels.forEach((label, row) => {
    const at = row * classes
    for (let c = 0; c < classes; c++) brier += (probabilities[at + c]! - (c === label ? 1 : 0)) ** 2
    logLoss -= Math.log(Math.max(LEAST_PROBABILITY, probabilities[at + label]!))
    const best = bestClass(probabilities, at, classes)
    const top = probabilities[at + best]!
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(top * BINS) - 1))
    gaps[bin] = gaps[bin]! + (best === label ? 1 : 0) - top
  })
  return {
    log_loss: logLoss / labels.length,
    brier_score: brier / labels.length,
    calibration_error: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / labels.length,
  }
}
