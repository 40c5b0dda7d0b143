import { categoryStability, countCategories, totalOf, totalVariation } from './category-shares.ts'
import { homogeneityTest } from './homogeneity.ts'
import { compareSamples, createSample } from './ks-test.ts'
import { missingRateTest } from './missing-rate.ts'
import { populationStability } from './psi.ts'
import type { CategoryReference, NumberReference, ReferenceFeature } from './reference.ts'

/** How a feature was tested: `missing_rate` looks at nothing but whether values are there. */
export type DriftTest = 'ks' | 'chi_square' | 'missing_rate'

export type TestedFeature = {
  readonly feature: string
  readonly test: DriftTest
  /**
   * The effect, 0 to 1: Kolmogorov-Smirnov D, the total variation distance of the shares of categories, or the
   * difference of the shares of missing values.
   */
  readonly statistic: number
  readonly pValue: number
  /** Population stability index; reported, decides nothing. */
  readonly psi: number
  /** Values missing in the window. */
  readonly missing: number
}

/** A feature is tested only if both samples have this many values; with fewer, the effect is mostly noise. */
export const MIN_TESTED_VALUES = 20

/** The values of a feature in a window, in the form of its test. */
type Found = { readonly test: TestedFeature | null; readonly missing: number }

const compareNumbers = (feature: NumberReference, values: ArrayLike<number>): Found => {
  const sample = createSample(values)
  const { missing } = sample
  const enough = Math.min(sample.sorted.length, feature.sample.sorted.length) >= MIN_TESTED_VALUES
  const result = enough ? compareSamples(feature.sample, sample) : { status: 'empty' as const }
  if (result.status === 'empty') return { test: null, missing }
  const { statistic, pValue } = result
  const psi = populationStability(feature.bins, sample)
  return { test: { feature: feature.name, test: 'ks', statistic, pValue, psi, missing }, missing }
}

/** The effect of counts over the same categories. */
const effectOf = (reference: ArrayLike<number>, current: ArrayLike<number>) => ({
  statistic: totalVariation(reference, current),
  psi: categoryStability(reference, current),
})

const compareCategories = (feature: CategoryReference, codes: ArrayLike<number>): Found => {
  const { counts, missing } = countCategories(codes, feature.categories.length)
  if (Math.min(totalOf(counts), totalOf(feature.counts)) < MIN_TESTED_VALUES) return { test: null, missing }
  const result = homogeneityTest(feature.counts, counts)
  const pValue = 'pValue' in result ? result.pValue : 1
  const test = {
    feature: feature.name,
    test: 'chi_square',
    ...effectOf(feature.counts, counts),
    pValue,
    missing,
  } as const
  return { test, missing }
}

/** The test of missing values, null where there are none or too few rows. */
const compareMissing = (feature: ReferenceFeature, rows: number, missing: number): TestedFeature | null => {
  const present = feature.type === 'number' ? feature.sample.sorted.length : totalOf(feature.counts)
  const referenceRows = present + feature.missing
  if (feature.missing + missing === 0 || Math.min(rows, referenceRows) < MIN_TESTED_VALUES) return null
  return {
    feature: feature.name,
    test: 'missing_rate',
    ...effectOf([feature.missing, present], [missing, rows - missing]),
    pValue: missingRateTest({ missing: feature.missing, rows: referenceRows }, { missing, rows }),
    missing,
  }
}

/**
 * Compares one feature of a window with the reference.
 * @param values raw values, or codes of the reference's categories; NaN where missing
 * @returns the tests that could be made; `enough` tells whether one of the values themselves was among them
 */
export const compareFeature = (
  feature: ReferenceFeature,
  values: ArrayLike<number>,
): { tests: TestedFeature[]; enough: boolean } => {
  const { test, missing } =
    feature.type === 'number' ? compareNumbers(feature, values) : compareCategories(feature, values)
  const missingTest = compareMissing(feature, values.length, missing)
  return { tests: [test, missingTest].filter((found) => found !== null), enough: test !== null }
}
