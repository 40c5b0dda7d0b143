import type { Objective } from './lbfgs.ts'

// Sufficient decrease and curvature, as Nocedal and Wright have them for quasi-Newton methods.
const DECREASE = 1e-4
const CURVATURE = 0.9
const MAX_EVALUATIONS = 40
/** Growth of the step while the value still falls. */
const EXPANSION = 4
/** A trial keeps this share of the interval away from both ends. */
const MARGIN = 0.1
/** Differences of values below this share of the value are rounding. */
const ROUNDING = 1e-14

/** The minimum of the cubic through two values and slopes (Nocedal, Wright, equation 3.59), or NaN. */
const cubicMinimum = (a: number, valueA: number, slopeA: number, b: number, valueB: number, slopeB: number): number => {
  const d1 = slopeA + slopeB - (3 * (valueA - valueB)) / (a - b)
  const d2 = Math.sign(b - a) * Math.sqrt(d1 * d1 - slopeA * slopeB)
  return b - ((b - a) * (slopeB + d2 - d1)) / (slopeB - slopeA + 2 * d2)
}

/**
 * Moves `point` along `direction` to where the strong Wolfe conditions hold, and writes the gradient there.
 * @returns the value there, or null where no step was found; then point and gradient are as they were
 */
export type LineSearch = (
  point: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
  firstStep: number,
) => number | null

/**
 * Line search by bracketing and cubic interpolation (Nocedal, Wright, Numerical Optimization, algorithms 3.5 and 3.6,
 * as one loop). Near the minimum, where values differ by rounding alone, slopes decide instead (Hager, Zhang, SIAM
 * Journal on Optimization 16, 2005, the approximate Wolfe conditions).
 */
export const createLineSearch = (objective: Objective, size: number): LineSearch => {
  const start = new Float64Array(size)
  const startGradient = new Float64Array(size)

  return (point, value, gradient, direction, firstStep) => {
    let slope = 0
    for (let i = 0; i < size; i++) slope += gradient[i]! * direction[i]!
    if (!(slope < 0)) return null
    start.set(point)
    startGradient.set(gradient)

    // The best step so far and the other end of the interval; infinite until one is known.
    let low = 0
    let lowValue = value
    let lowSlope = slope
    let high = Number.POSITIVE_INFINITY
    let highValue = Number.NaN
    let highSlope = Number.NaN
    let step = firstStep
    for (let evaluation = 0; evaluation < MAX_EVALUATIONS; evaluation++) {
      for (let i = 0; i < size; i++) point[i] = start[i]! + step * direction[i]!
      const trial = objective(point, gradient)
      let trialSlope = 0
      for (let i = 0; i < size; i++) trialSlope += gradient[i]! * direction[i]!

      const rounding = trial <= value + ROUNDING * Math.abs(value) && trialSlope <= (2 * DECREASE - 1) * slope
      const decreased = (trial <= value + DECREASE * step * slope && trial <= lowValue) || rounding
      if (decreased && Math.abs(trialSlope) <= -CURVATURE * slope) return trial
      if (!decreased) {
        high = step
        highValue = trial
        highSlope = trialSlope
      } else {
        if (trialSlope * (high - low) >= 0) {
          high = low
          highValue = lowValue
          highSlope = lowSlope
        }
        low = step
        lowValue = trial
        lowSlope = trialSlope
      }
      if (high === Number.POSITIVE_INFINITY) {
        step *= EXPANSION
        continue
      }
      const cubic = cubicMinimum(low, lowValue, lowSlope, high, highValue, highSlope)
      const margin = MARGIN * Math.abs(high - low)
      const least = Math.min(low, high) + margin
      const most = Math.max(low, high) - margin
      // Also where the other end's value or slope is no number.
      step = Number.isFinite(cubic) ? Math.min(most, Math.max(least, cubic)) : (low + high) / 2
    }
    point.set(start)
    gradient.set(startGradient)
    return null
  }
}
