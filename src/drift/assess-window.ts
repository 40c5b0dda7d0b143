import { adjustPValues, type Correction } from './adjust.ts'
import type { DriftReference } from './reference.ts'
import { compareFeature, type TestedFeature } from './test-feature.ts'

export { MIN_TESTED_VALUES } from './test-feature.ts'

/** When a window differs, and when differing windows become an alarm. The task's `drift` configuration is one. */
export type DriftThresholds = {
  /** Rows of a window. */
  readonly windowRows: number
  /** Drifted windows in a row that raise an alarm. */
  readonly consecutiveWindows: number
  /** A feature drifted only if its adjusted p-value is below this. */
  readonly alpha: number
  readonly correction: Correction
  /**
   * A feature drifted only if the effect (`TestedFeature.statistic`) is at least this, so that a large sample cannot make
   * an alarm of a trifle.
   */
  readonly minStatistic: number
  /** Least time between two alarms. */
  readonly coolDownMs: number
}

/** The rows of one window, by feature. */
export type DriftWindow = {
  readonly modelVersion: string
  readonly rows: number
  /** One column per feature of the reference, in its order: categories by the reference's codes, NaN where missing. */
  readonly columns: readonly ArrayLike<number>[]
  /** From when on its events are, a few late ones left out; ms since the epoch. */
  readonly firstEventTime: number
  /** Greatest event time, ms since the epoch. */
  readonly lastEventTime: number
  /** The event that closed the window. */
  readonly lastEventId: string
}

/** One test of one feature; a feature whose values may be missing can have two. */
export type FeatureAssessment = TestedFeature & {
  readonly adjustedPValue: number
  readonly drifted: boolean
}

export type WindowAssessment = Omit<DriftWindow, 'columns'> & {
  /** The tests that could be made, in the order of the reference. */
  readonly features: readonly FeatureAssessment[]
  /** Features with too few values in the window or in the reference. */
  readonly untested: readonly string[]
  readonly drifted: boolean
  /** `insufficient` when no feature could be tested: it says nothing for drift or against it. */
  readonly verdict: 'drifted' | 'quiet' | 'insufficient'
}

/**
 * Compares each feature of a window with the reference: numbers by the two-sample Kolmogorov-Smirnov test, categories
 * by the chi-square test, and the share of missing values where there are any. A feature drifted if a p-value of its,
 * adjusted over all tests of the window, is below `alpha` and the effect is at least `minStatistic`; the window drifted
 * if any feature did.
 */
export const assessWindow = (
  reference: DriftReference,
  window: DriftWindow,
  thresholds: Pick<DriftThresholds, 'alpha' | 'correction' | 'minStatistic'>,
): WindowAssessment => {
  const compared = reference.features.map((feature, index) => compareFeature(feature, window.columns[index] ?? []))
  const untested = reference.features.filter((_, index) => !compared[index]!.enough).map(({ name }) => name)
  const tested = compared.flatMap(({ tests }) => tests)
  const adjusted = adjustPValues(
    tested.map((feature) => feature.pValue),
    thresholds.correction,
  )
  const features = tested.map((feature, index) => {
    const adjustedPValue = adjusted[index]!
    const drifted = adjustedPValue < thresholds.alpha && feature.statistic >= thresholds.minStatistic
    return { ...feature, adjustedPValue, drifted }
  })
  const drifted = features.some((feature) => feature.drifted)
  const { columns: _, ...about } = window
  return {
    ...about,
    features,
    untested,
    drifted,
    verdict: features.length === 0 ? 'insufficient' : drifted ? 'drifted' : 'quiet',
  }
}
