import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'
import { calibrationSections, curvesOf } from './calibration-sections.ts'
import { logOdds } from './log-odds.ts'

/** Corrects `count` rows of probabilities in place, the first of which begins at `at`. Allocates nothing. */
export type Calibrate = (out: Float64Array, count: number, at: number) => void

type Curves = (probability: number, curve: number) => number

/** Below it the corrected probabilities of a row are too small to be divided by their sum. */
export const LEAST_SUM = 1e-100

const openPlatt = (sections: Sections, curves: number): Curves => {
  const slopes = sections.float64(calibrationSections.slopes, curves)
  const intercepts = sections.float64(calibrationSections.intercepts, curves)
  const falling = slopes.findIndex((slope) => slope < 0)
  if (falling >= 0) throw new ArtefactCorrupt(`calibration curve ${falling} falls: its slope is ${slopes[falling]}`)
  return (probability, curve) => 1 / (1 + Math.exp(-(slopes[curve]! * logOdds(probability) + intercepts[curve]!)))
}

const checkPoints = (starts: Int32Array, from: Float64Array, to: Float64Array): void => {
  const curves = starts.length - 1
  if (starts[0] !== 0 || starts[curves] !== from.length) {
    throw new ArtefactCorrupt(`the calibration curves do not cover their ${from.length} points`)
  }
  for (let curve = 0; curve < curves; curve++) {
    const first = starts[curve]!
    const end = starts[curve + 1]!
    if (first < 0 || end <= first || end > from.length) {
      throw new ArtefactCorrupt(`calibration curve ${curve} lies from point ${first} to ${end} of ${from.length}`)
    }
    for (let at = first; at < end; at++) {
      const rises = at === first || (from[at]! > from[at - 1]! && to[at]! >= to[at - 1]!)
      const sound = from[at]! >= 0 && from[at]! <= 1 && to[at]! >= 0 && to[at]! <= 1
      if (!rises || !sound) throw new ArtefactCorrupt(`point ${at} of a calibration curve falls, or is no probability`)
    }
  }
}

const openIsotonic = (sections: Sections, curves: number): Curves => {
  const starts = sections.int32(calibrationSections.starts, curves + 1)
  const from = sections.float64(calibrationSections.from)
  const to = sections.float64(calibrationSections.to, from.length)
  checkPoints(starts, from, to)
  return (probability, curve) => {
    let low = starts[curve]!
    let high = starts[curve + 1]! - 1
    if (probability <= from[low]!) return to[low]!
    if (probability >= from[high]!) return to[high]!
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (from[middle]! <= probability) low = middle
      else high = middle
    }
    const share = (probability - from[low]!) / (from[high]! - from[low]!)
    return to[low]! + share * (to[high]! - to[low]!)
  }
}

/**
 * Opens the correction of a classifier's probabilities. What it writes is finite and sums to 1 for any row of
 * probabilities. More probability of a class never becomes less, all else equal. Where no curve gives the row any
 * probability worth the name, the row stays as it was.
 * @throws ArtefactCorrupt if the sections hold no such curves
 */
export const openCalibration = (sections: Sections, method: 'platt' | 'isotonic', classes: number): Calibrate => {
  const curves = curvesOf(classes)
  const curveAt = method === 'platt' ? openPlatt(sections, curves) : openIsotonic(sections, curves)
  if (classes === 2) {
    return (out, count, at) => {
      for (let row = 0; row < count; row++) {
        const second = at + 2 * row + 1
        const corrected = curveAt(out[second]!, 0)
        out[second - 1] = 1 - corrected
        out[second] = corrected
      }
    }
  }
  const corrected = new Float64Array(classes)
  return (out, count, at) => {
    for (let row = 0; row < count; row++) {
      const first = at + row * classes
      let sum = 0
      for (let c = 0; c < classes; c++) {
        corrected[c] = curveAt(out[first + c]!, c)
        sum += corrected[c]!
      }
      if (sum < LEAST_SUM) continue
      for (let c = 0; c < classes; c++) out[first + c] = corrected[c]! / sum
    }
  }
}
