import type { ProbabilityScores } from './metrics/probability-scores.ts'
import type { NamedArray } from './sections.ts'

/** Curves that correct a classifier's probabilities, and its scores on held-out folds without and with them. */
export type FittedCalibration = {
  readonly method: 'platt' | 'isotonic'
  readonly arrays: readonly NamedArray[]
  readonly before: ProbabilityScores
  readonly after: ProbabilityScores
}
