import { describe, expect, it } from 'vitest'
import { chiSquareTest } from '../../../src/drift/chi-square.ts'
import { compareColumns } from '../../../src/drift/compare.ts'
import { createSample, ksTest } from '../../../src/drift/ks-test.ts'
import { createPsiBins, populationStability } from '../../../src/drift/psi.ts'
import { createRandom } from '../../../src/features/random.ts'
import comparisons from '../../fixtures/drift/comparisons.json' with { type: 'json' }

describe('the population stability index', () => {
  it.each(comparisons.psi.map((one) => [one.edges.length, one] as const))(
    'over %i edges is that of numpy',
    (_, one) => {
      const bins = createPsiBins(createSample(one.reference))
      expect(bins.edges).toEqual(one.edges)
      const index = populationStability(bins, createSample(one.current))
      expect(Math.abs(index - one.psi)).toBeLessThanOrEqual(1e-12 * Math.max(1, one.psi))
    },
  )
})

describe('columns of numbers', () => {
  const { reference, current, psi } = comparisons.psi[1]!

  it('are compared by Kolmogorov and Smirnov, missing values apart', () => {
    const result = compareColumns([...reference, Number.NaN], [Number.NaN, ...current, Number.NaN], { kind: 'number' })
    const expected = ksTest(reference, current)
    expect(expected.status).toBe('tested')
    expect(result).toMatchObject({ test: 'ks', unseen: 0, missingReference: 1, missingCurrent: 2 })
    expect(result.values).toMatchObject(
      expected.status === 'tested' ? { statistic: expected.statistic, pValue: expected.pValue } : {},
    )
    expect(result.values?.psi).toBeCloseTo(psi, 12)
    expect(result.missingPValue).toBeGreaterThan(0.1)
  })

  it('of which one has no values are told apart by that alone', () => {
    const result = compareColumns(reference, new Array(500).fill(Number.NaN), { kind: 'number' })
    expect(result.values).toBeNull()
    expect(result.missingPValue).toBeLessThan(1e-12)
  })
})

describe('columns of categories', () => {
  const column = (counts: Record<string, number>, missing = 0): (string | null)[] => [
    ...Object.entries(counts).flatMap(([name, count]) => new Array<string>(count).fill(name)),
    ...new Array<null>(missing).fill(null),
  ]

  it('are compared by chi-square over the categories of the reference and one for the others', () => {
    const result = compareColumns(column({ red: 60, green: 40 }), column({ green: 30, blue: 12, black: 8 }, 5), {
      kind: 'category',
    })
    const { status: _, ...expected } = {
      statistic: Number.NaN,
      pValue: Number.NaN,
      ...chiSquareTest([60, 40, 0], [0, 30, 20]),
    }
    expect(result).toMatchObject({ test: 'chi_square', unseen: 20, missingReference: 0, missingCurrent: 5 })
    expect(result.values).toMatchObject({ statistic: expected.statistic, pValue: expected.pValue })
    expect(result.values?.effect).toBeCloseTo(0.6, 12)
    expect(result.missingPValue).toBeLessThan(0.01)
  })

  it('that are alike do not differ', () => {
    const result = compareColumns(column({ a: 30, b: 60 }), column({ b: 20, a: 10 }), { kind: 'category' })
    expect(result.values).toEqual({
      statistic: expect.closeTo(0, 12),
      pValue: 1,
      effect: 0,
      psi: expect.closeTo(0, 12),
    })
  })

  it('are not set apart for certain by one value that nobody saw before, but by many', () => {
    const reference = column({ a: 60_000, b: 40_000 })
    // By chi-square alone one strange value among a hundred would be impossible.
    expect(chiSquareTest([60_000, 40_000, 0], [60, 39, 1])).toMatchObject({ pValue: expect.closeTo(0, 100) })
    const one = compareColumns(reference, column({ a: 60, b: 39, c: 1 }), { kind: 'category' })
    // Twice the probability that the only one of 100,100 values falls among these 100.
    expect(one.values?.pValue).toBeCloseTo((2 * 100) / 100_100, 9)
    const many = compareColumns(reference, column({ a: 50, b: 30, c: 5, d: 5, e: 5, f: 5 }), { kind: 'category' })
    expect(many.unseen).toBe(20)
    expect(many.values?.pValue).toBeLessThan(1e-40)
  })

  it('do not differ falsely more often than asked, rare categories and all', () => {
    const random = createRandom(31, 'rare categories')
    const draw = (rows: number): string[] =>
      // Geometric: a few common categories and a long tail of rare ones.
      Array.from({ length: rows }, () => String(Math.floor(-2 * Math.log(1 - random.next()))))
    let rejected = 0
    for (let run = 0; run < 1000; run++) {
      const { values } = compareColumns(draw(1000), draw(60), { kind: 'category' })
      if (values!.pValue < 0.05) rejected++
    }
    // 0.05 is meant; three standard deviations of 1000 runs are 0.02.
    expect(rejected / 1000).toBeLessThan(0.07)
    expect(rejected / 1000).toBeGreaterThan(0.015)
  })

  it('of which one has no values are told apart by that alone', () => {
    const result = compareColumns(column({}, 50), column({ a: 50 }), { kind: 'category' })
    expect(result.values).toBeNull()
    expect(result.unseen).toBe(50)
    expect(result.missingPValue).toBeLessThan(1e-12)
  })
})
