import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chiSquareTest } from '../../../src/drift/chi-square.ts'
import { chiSquareTail } from '../../../src/drift/chi-square-distribution.ts'
import { fisherExact } from '../../../src/drift/fisher-exact.ts'
import { missingRateTest } from '../../../src/drift/missing-rate.ts'
import comparisons from '../../fixtures/drift/comparisons.json' with { type: 'json' }
import { expectAgreement } from './agreement.ts'

const tested = (first: readonly number[], second: readonly number[]) => {
  const result = chiSquareTest(first, second)
  if (result.status === 'empty') throw new Error('a sample was empty')
  return result
}

describe('the tail of the chi-square distribution', () => {
  it('is that of mpmath to 40 digits, and so that of scipy', () => {
    expect(comparisons.tails.length).toBeGreaterThan(200)
    for (const [x, degrees, exact, byScipy] of comparisons.tails as [number, number, number, number][]) {
      expectAgreement(chiSquareTail(x, degrees), exact)
      expectAgreement(chiSquareTail(x, degrees), byScipy)
    }
  })

  it.each([
    [1450, 20, 2.1144480913164834e-295],
    [1480, 30, 7.231072429356675e-293],
    [1500, 29, 5.456018494375475e-298],
  ])('keeps its digits where e^(-x / 2) has few: %d, %d degrees, by scipy', (x, degrees, expected) => {
    expectAgreement(chiSquareTail(x, degrees), expected)
  })

  it('falls from 1 to 0', () => {
    expect(chiSquareTail(0, 3)).toBe(1)
    expect(chiSquareTail(Number.POSITIVE_INFINITY, 3)).toBe(0)
    expect(chiSquareTail(1e6, 3)).toBe(0)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 900, noNaN: true }), (degrees, x) => {
        const here = chiSquareTail(x, degrees)
        expect(here >= 0 && here <= 1).toBe(true)
        expect(chiSquareTail(x * 1.01 + 1e-3, degrees)).toBeLessThanOrEqual(here)
      }),
      { seed: 21, numRuns: 500 },
    )
  })

  it('meets its sum of Poisson terms for an even number of degrees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0.01, max: 300, noNaN: true }), (half, x) => {
        let term = Math.exp(-x / 2)
        let sum = term
        for (let k = 1; k < half; k++) {
          term *= x / 2 / k
          sum += term
        }
        expect(Math.abs(chiSquareTail(x, 2 * half) - sum)).toBeLessThanOrEqual(1e-12 * sum)
      }),
      { seed: 22, numRuns: 300 },
    )
  })
})

describe('the chi-square test', () => {
  it.each(comparisons.tables.map((one) => [`${one.degrees} degrees, p ${one.p}`, one] as const))(
    'is that of scipy: %s',
    (_, { first, second, statistic, degrees, p, leastExpected }) => {
      const result = tested(first, second)
      expect(result.degrees).toBe(degrees)
      expect(Math.abs(result.statistic - statistic)).toBeLessThanOrEqual(1e-12 * Math.max(1, statistic))
      expect(result.leastExpected).toBeCloseTo(leastExpected, 9)
      // The statistic's own rounding moves the p-value by about half of it, relatively: no digits that were there.
      const bound = Math.max(1e-12 * p * Math.max(1, statistic / 2), p > 1e-10 ? 1e-14 : 1e-290)
      expect(Math.abs(result.pValue - p)).toBeLessThanOrEqual(bound)
    },
  )

  it('finds nothing where there is nothing to differ', () => {
    expect(chiSquareTest([5], [9])).toMatchObject({ statistic: 0, degrees: 0, pValue: 1 })
    expect(chiSquareTest([0, 0], [3, 4])).toEqual({ status: 'empty' })
    expect(chiSquareTest([], [])).toEqual({ status: 'empty' })
  })

  it('does not depend on the order of samples or categories, nor on categories that nobody has', () => {
    const counts = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(counts, (pairs) => {
        const first = pairs.map(([count]) => count)
        const second = pairs.map(([, count]) => count)
        fc.pre(first.some((count) => count > 0))
        const result = tested(first, second)
        const turned = tested([0, ...second.toReversed()], [0, ...first.toReversed()])
        expect(turned.degrees).toBe(result.degrees)
        expect(turned.pValue).toBeCloseTo(result.pValue, 12)
      }),
      { seed: 23 },
    )
  })
})

describe("Fisher's exact test", () => {
  it('is that of scipy', () => {
    expect(comparisons.fisher.length).toBeGreaterThan(40)
    for (const [a, b, c, d, p] of comparisons.fisher as [number, number, number, number, number][]) {
      expectAgreement(fisherExact([a, b], [c, d]), p)
    }
  })
})

describe('the test of missing values', () => {
  it('is exact where few are missing, else by chi-square', () => {
    const few = missingRateTest({ missing: 2, rows: 10_000 }, { missing: 9, rows: 1000 })
    expect(few).toBe(fisherExact([2, 9998], [9, 991]))
    const many = missingRateTest({ missing: 200, rows: 1000 }, { missing: 300, rows: 1000 })
    expect(many).toBe(tested([200, 800], [300, 700]).pValue)
    expect(few).toBeLessThan(1e-5)
    expect(many).toBeLessThan(1e-5)
  })

  it('finds nothing where nothing is missing, or all, or there are no rows', () => {
    expect(missingRateTest({ missing: 0, rows: 10 }, { missing: 0, rows: 20 })).toBe(1)
    expect(missingRateTest({ missing: 10, rows: 10 }, { missing: 20, rows: 20 })).toBe(1)
    expect(missingRateTest({ missing: 0, rows: 0 }, { missing: 3, rows: 20 })).toBe(1)
  })
})
