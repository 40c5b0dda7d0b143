import { describe, expect, it } from 'vitest'
import type { Dataset } from '../../../../src/features/dataset.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { fairCoinTail } from '../../../../src/models/compare/binomial-tail.ts'
import { normalTail } from '../../../../src/models/compare/normal-tail.ts'
import { comparePaired, mcnemarTest } from '../../../../src/models/compare/paired-test.ts'
import { signedRankTest } from '../../../../src/models/compare/signed-rank.ts'
import fixture from '../../../fixtures/models/scores.json' with { type: 'json' }
import { gaussian } from '../../../support/training-rows.ts'

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.max(expected, 1e-300)

describe('the normal tail is that of scipy', () => {
  it.each(fixture.normal_tail)('beyond $z', ({ z, p }) => {
    expect(relative(normalTail(z), p)).toBeLessThan(1e-12)
  })
})

describe("McNemar's exact test is that of scipy", () => {
  it.each(fixture.mcnemar)('$won won, $lost lost of $rows', (expected) => {
    const found = mcnemarTest(expected.won, expected.lost, expected.rows)
    expect(relative(found.pTwoSided, expected.p_two_sided)).toBeLessThan(1e-11)
    expect(relative(found.pGreater, expected.p_greater)).toBeLessThan(1e-11)
    expect(found.interval[0]).toBeCloseTo(expected.interval[0]!, 12)
    expect(found.interval[1]).toBeCloseTo(expected.interval[1]!, 12)
    expect(found.difference).toBeCloseTo((expected.won - expected.lost) / expected.rows, 12)
  })

  it('stands where a sum of powers would not', () => {
    expect(fairCoinTail(50_000, 100_000)).toBeCloseTo(0.5 + 0.5 * 0.002523126, 6)
    expect(fairCoinTail(60_000, 100_000)).toBeLessThan(1e-300)
  })
})

describe("Wilcoxon's signed-rank test is that of scipy", () => {
  it.each(fixture.signed_rank.map((expected, i) => [i, expected] as const))('case %i', (_, expected) => {
    const found = signedRankTest(Float64Array.from(expected.differences))
    expect(found.statistic).toBeCloseTo(expected.statistic, 9)
    expect(relative(found.pTwoSided, expected.p_two_sided)).toBeLessThan(1e-10)
    expect(relative(found.pGreater, expected.p_greater)).toBeLessThan(1e-10)
  })

  it('knows nothing where nothing differs', () => {
    expect(signedRankTest(new Float64Array(5))).toMatchObject({ count: 0, pTwoSided: 1, pGreater: 1 })
  })
})

describe('two models on the same rows', () => {
  const rowsOf = (rows: number) => ({
    featureNames: ['x'],
    categories: [[]],
    rows,
    features: new Float64Array(rows),
  })
  const classes: Dataset = {
    ...rowsOf(200),
    kind: 'classification',
    classNames: ['no', 'yes'],
    labels: Int32Array.from({ length: 200 }, (_, row) => row % 2),
  }
  /** Right on all rows but those that `wrong` names. */
  const answers = (wrong: (row: number) => boolean): Float64Array =>
    Float64Array.from({ length: 400 }, (_, i) => {
      const row = i >> 1
      const said = wrong(row) ? 1 - (row % 2) : row % 2
      return said === i % 2 ? 1 : 0
    })

  it('are told apart where one has clearly more rows right, and not where it has two more', () => {
    const champion = answers((row) => row < 20)
    const better = comparePaired(
      champion,
      answers((row) => row < 2),
      classes,
    )
    expect(better).toMatchObject({ test: 'mcnemar', metric: 'accuracy', rows: 200, difference: 0.09 })
    expect(better.pGreater).toBeCloseTo(2 ** -18, 12)
    expect(better.interval()[0]).toBeGreaterThan(0.04)
    const hardly = comparePaired(
      champion,
      answers((row) => row < 18),
      classes,
    )
    expect(hardly.pGreater).toBeCloseTo(0.25, 12)
    expect(hardly.interval()[0]).toBeLessThan(0)
    const worse = comparePaired(
      champion,
      answers((row) => row < 40),
      classes,
    )
    expect(worse.pGreater).toBe(1)
  })

  const random = createRandom(3, 'numbers')
  const targets = Float64Array.from({ length: 300 }, () => 1e6 + gaussian(random))
  const numbers: Dataset = { ...rowsOf(300), kind: 'regression', targets }
  const withErrors = (sd: number): Float64Array => targets.map((target) => target + sd * gaussian(random))

  it('are told apart by their errors, with an interval that holds the difference of R2', () => {
    const [champion, challenger] = [withErrors(0.7), withErrors(0.4)]
    const better = comparePaired(champion, challenger, numbers, 1)
    expect(better).toMatchObject({ test: 'wilcoxon', metric: 'r2', rows: 300 })
    expect(better.pGreater).toBeLessThan(1e-4)
    const [least, greatest] = better.interval()
    expect(better.difference).toBeGreaterThan(least)
    expect(better.difference).toBeLessThan(greatest)
    expect(least).toBeGreaterThan(0)
    expect(comparePaired(champion, challenger, numbers, 1).interval()).toEqual([least, greatest])
    const back = comparePaired(challenger, champion, numbers, 1)
    expect(back.pGreater).toBeGreaterThan(0.999)
    expect(back.difference).toBeCloseTo(-better.difference, 12)
  })

  it('give p-values below 0.05 in about a twentieth of all cases where they are equally good', () => {
    let alarms = 0
    for (let trial = 0; trial < 200; trial++) {
      const gains = Float64Array.from({ length: 80 }, () => Math.abs(gaussian(random)) - Math.abs(gaussian(random)))
      if (signedRankTest(gains).pGreater < 0.05) alarms++
    }
    // 10 of 200 are expected; 21 or more, or 2 or less, come about once in a thousand runs of other seeds.
    expect(alarms).toBeGreaterThan(2)
    expect(alarms).toBeLessThan(21)
  })
})
