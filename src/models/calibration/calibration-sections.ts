/**
 * The sections of a calibration. There is a curve per class; for two classes one curve, of the second class, says all.
 * Platt: curve `c` is `1 / (1 + exp(-(slopes[c] * logOdds(p) + intercepts[c])))`.
 * Isotonic: curve `c` runs through the points `starts[c]` to `starts[c + 1]` of `from` and `to`, straight between them
 * and level outside.
 */
export const calibrationSections = {
  slopes: 'calibration.slopes',
  intercepts: 'calibration.intercepts',
  starts: 'calibration.starts',
  from: 'calibration.from',
  to: 'calibration.to',
} as const

/** Curves of a calibration of `classes` classes. */
export const curvesOf = (classes: number): number => (classes === 2 ? 1 : classes)
