import { sharesOf, totalOf, totalVariation } from './category-shares.ts'
import { homogeneityTest } from './homogeneity.ts'
import { compareSamples, createSample } from './ks-test.ts'
import { missingRateTest } from './missing-rate.ts'
import { createPsiBins, populationStability, shareStability } from './psi.ts'

/** How the values of two columns differ. */
export type ValueComparison = {
  /** D, or the chi-square statistic. */
  readonly statistic: number
  readonly pValue: number
  /** The size of the difference, 0 to 1, whatever the number of rows: D, or the total variation distance. */
  readonly effect: number
  /** Population stability index, an effect size without an upper end. */
  readonly psi: number
}

/** How two columns of one feature differ. */
export type ColumnComparison = {
  readonly test: 'ks' | 'chi_square'
  /** Null where a side has no value: then only their absence can be compared. */
  readonly values: ValueComparison | null
  /** For categories: values of the current column that the reference does not have. */
  readonly unseen: number
  readonly missingReference: number
  readonly missingCurrent: number
  /** Of the test whether values are missing as often. */
  readonly missingPValue: number
}

/**
 * Two columns of numbers, NaN where missing: the two-sample Kolmogorov-Smirnov test, and the population stability index
 * over the deciles of the reference.
 */
export const compareNumbers = (reference: ArrayLike<number>, current: ArrayLike<number>): ColumnComparison => {
  const first = createSample(reference)
  const second = createSample(current)
  const result = compareSamples(first, second)
  return {
    test: 'ks',
    values:
      result.status === 'empty'
        ? null
        : {
            statistic: result.statistic,
            pValue: result.pValue,
            effect: result.statistic,
            psi: populationStability(createPsiBins(first), second),
          },
    unseen: 0,
    missingReference: first.missing,
    missingCurrent: second.missing,
    missingPValue: missingRateTest(
      { missing: first.missing, rows: reference.length },
      { missing: second.missing, rows: current.length },
    ),
  }
}

/** How often each value of a column of categories occurs. */
export type ValueCounts = { readonly counts: ReadonlyMap<string, number>; readonly missing: number }

/** @param values null where missing */
export const countValues = (values: Iterable<string | null>): ValueCounts => {
  const counts = new Map<string, number>()
  let missing = 0
  for (const value of values) {
    if (value === null) missing++
    else counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return { counts, missing }
}

const compareCounts = (reference: readonly number[], current: readonly number[]): ValueComparison | null => {
  const result = homogeneityTest(reference, current)
  if (result.status === 'empty') return null
  const expected = sharesOf(reference)
  const actual = sharesOf(current)
  return {
    statistic: result.statistic,
    pValue: result.pValue,
    effect: totalVariation(expected, actual),
    psi: shareStability(expected, actual),
  }
}

/**
 * Two columns of categories: the chi-square test over the categories of the reference and one more for all that it does
 * not have (`homogeneityTest`). Missing values are no category; they are
 * tested apart.
 */
export const compareCategories = (reference: ValueCounts, current: ValueCounts): ColumnComparison => {
  const known = [...reference.counts.keys()].map((category) => current.counts.get(category) ?? 0)
  const expected = [...reference.counts.values(), 0]
  const referenceTotal = totalOf(expected)
  const currentTotal = totalOf([...current.counts.values()])
  const unseen = currentTotal - totalOf(known)
  return {
    test: 'chi_square',
    values: compareCounts(expected, [...known, unseen]),
    unseen,
    missingReference: reference.missing,
    missingCurrent: current.missing,
    missingPValue: missingRateTest(
      { missing: reference.missing, rows: referenceTotal + reference.missing },
      { missing: current.missing, rows: currentTotal + current.missing },
    ),
  }
}

/** The values of one feature on one side: numbers with NaN where missing, or categories with null. */
export type ColumnValues = {
  readonly number: ArrayLike<number>
  readonly category: readonly (string | null)[]
}

/** How the current values of a feature differ from its reference: see `compareNumbers` and `compareCategories`. */
export const compareColumns = <K extends keyof ColumnValues>(
  reference: ColumnValues[K],
  current: ColumnValues[K],
  { kind }: { readonly kind: K },
): ColumnComparison =>
  kind === 'number'
    ? compareNumbers(reference as ArrayLike<number>, current as ArrayLike<number>)
    : compareCategories(
        countValues(reference as readonly (string | null)[]),
        countValues(current as readonly (string | null)[]),
      )
