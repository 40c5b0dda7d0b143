import { calibrationSections, curvesOf } from '../calibration/calibration-sections.ts'
import { LEAST } from '../calibration/log-odds.ts'
import { LEAST_SUM } from '../calibration/open-calibration.ts'
import type { Sections } from '../sections.ts'
import { embedIntegers, embedNumbers } from './embed-array.ts'

const plattCode = (sections: Sections, curves: number): string =>
  `const slopes = ${embedNumbers(sections.float64(calibrationSections.slopes, curves))}
const offsets = ${embedNumbers(sections.float64(calibrationSections.intercepts, curves))}
const curve = (probability, c) => {
  const p = Math.min(${1 - LEAST}, Math.max(${LEAST}, probability))
  return 1 / (1 + Math.exp(-(slopes[c] * Math.log(p / (1 - p)) + offsets[c])))
}`

const isotonicCode = (sections: Sections, curves: number): string => {
  const from = sections.float64(calibrationSections.from)
  return `const starts = ${embedIntegers(sections.int32(calibrationSections.starts, curves + 1))}
const from = ${embedNumbers(from)}
const to = ${embedNumbers(sections.float64(calibrationSections.to, from.length))}
const curve = (probability, c) => {
  let low = starts[c]
  let high = starts[c + 1] - 1
  if (probability <= from[low]) return to[low]
  if (probability >= from[high]) return to[high]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (from[middle] <= probability) low = middle
    else high = middle
  }
  const share = (probability - from[low]) / (from[high] - from[low])
  return to[low] + share * (to[high] - to[low])
}`
}

/** Defines `calibrate(probabilities)`, as `openCalibration` corrects them. */
export const calibrationCode = (sections: Sections, method: 'platt' | 'isotonic' | null, classes: number): string => {
  if (method === null) return 'const calibrate = (probabilities) => probabilities'
  const curves = method === 'platt' ? plattCode(sections, curvesOf(classes)) : isotonicCode(sections, curvesOf(classes))
  if (classes === 2) {
    return `${curves}
const calibrate = (probabilities) => {
  const second = curve(probabilities[1], 0)
  return [1 - second, second]
}`
  }
  return `${curves}
const calibrate = (probabilities) => {
  const corrected = probabilities.map(curve)
  const sum = corrected.reduce((total, share) => total + share, 0)
  return sum < ${LEAST_SUM} ? probabilities : corrected.map((share) => share / sum)
}`
}
