import { describe, expect, it } from 'vitest'
import { assessWindow, type DriftWindow } from '../../../src/drift/assess-window.ts'
import { createDriftReference, ReferenceInvalid } from '../../../src/drift/reference.ts'

const thresholds = { alpha: 0.01, correction: 'benjamini-hochberg', minStatistic: 0.15 } as const
const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, k) => from + k)

const reference = createDriftReference({
  modelVersion: '3',
  featureNames: ['height', 'width'],
  columns: [range(200), range(200)],
})
const windowOf = (...columns: number[][]): DriftWindow => ({
  modelVersion: '3',
  rows: columns[0]!.length,
  columns,
  firstEventTime: 1000,
  lastEventTime: 2000,
  lastEventId: 'e9',
})

describe('a window', () => {
  it('is quiet where it looks like the reference', () => {
    const assessment = assessWindow(reference, windowOf(range(200), range(200)), thresholds)
    expect(assessment).toMatchObject({
      modelVersion: '3',
      rows: 200,
      lastEventId: 'e9',
      verdict: 'quiet',
      drifted: false,
      untested: [],
    })
    expect(assessment.features.map(({ feature, statistic, psi }) => [feature, statistic, psi])).toEqual([
      ['height', 0, 0],
      ['width', 0, 0],
    ])
    expect(assessment).not.toHaveProperty('columns')
  })

  it('drifts where one feature does, and names it', () => {
    const assessment = assessWindow(reference, windowOf(range(200), range(200, 80)), thresholds)
    expect(assessment.verdict).toBe('drifted')
    expect(assessment.features.map(({ feature, drifted }) => [feature, drifted])).toEqual([
      ['height', false],
      ['width', true],
    ])
    expect(assessment.features[1]!.statistic).toBe(0.4)
    expect(assessment.features[1]!.psi).toBeGreaterThan(0.2)
  })

  it('does not drift by a sure but small shift', () => {
    const large = createDriftReference({ modelVersion: '3', featureNames: ['height'], columns: [range(9000)] })
    const assessment = assessWindow(large, windowOf(range(9000, 450)), thresholds)
    expect(assessment.features[0]!.adjustedPValue).toBeLessThan(1e-9)
    expect(assessment.features[0]!.statistic).toBe(0.05)
    expect(assessment.verdict).toBe('quiet')
  })

  it('does not drift by a large shift that may be chance', () => {
    const small = createDriftReference({ modelVersion: '3', featureNames: ['height'], columns: [range(25)] })
    const assessment = assessWindow(small, windowOf(range(25, 8)), thresholds)
    expect(assessment.features[0]!.statistic).toBeGreaterThan(0.3)
    expect(assessment.verdict).toBe('quiet')
  })

  it('adjusts for the features tested, and for no others', () => {
    const few = [...range(10), ...range(190).map(() => Number.NaN)]
    const assessment = assessWindow(reference, windowOf(few, range(200, 30)), {
      ...thresholds,
      correction: 'bonferroni',
    })
    expect(assessment.untested).toEqual(['height'])
    // Of the height it can be told that it is missing, so two tests were made.
    expect(assessment.features.map(({ feature, test }) => [feature, test])).toEqual([
      ['height', 'missing_rate'],
      ['width', 'ks'],
    ])
    const [, width] = assessment.features
    expect(width!.adjustedPValue).toBe(2 * width!.pValue)
  })

  it('leaves missing values out and counts them', () => {
    const holes = range(200).map((value) => (value % 4 === 0 ? Number.NaN : value))
    const assessment = assessWindow(reference, windowOf(holes, range(200)), thresholds)
    expect(assessment.features[0]).toMatchObject({ feature: 'height', test: 'ks', missing: 50, drifted: false })
  })

  it('is insufficient where nothing can be tested', () => {
    const few = assessWindow(reference, windowOf(range(19), range(19)), thresholds)
    expect(few).toMatchObject({ verdict: 'insufficient', drifted: false, features: [] })
    expect(few.untested).toEqual(['height', 'width'])
    const tiny = createDriftReference({ modelVersion: '3', featureNames: ['height'], columns: [range(5)] })
    expect(assessWindow(tiny, windowOf(range(200)), thresholds).verdict).toBe('insufficient')
  })
})

describe('missing values', () => {
  const holesIn = (every: number): number[] => range(200).map((value) => (value % every === 0 ? Number.NaN : value))
  const leaky = createDriftReference({ modelVersion: '3', featureNames: ['height'], columns: [holesIn(4)] })

  it('drift where their share does, as an effect of that size', () => {
    const assessment = assessWindow(reference, windowOf(holesIn(4), range(200)), thresholds)
    expect(assessment.verdict).toBe('drifted')
    const missing = assessment.features.find(({ test }) => test === 'missing_rate')
    expect(missing).toMatchObject({ feature: 'height', statistic: 0.25, missing: 50, drifted: true })
  })

  it('are quiet where as many were missing before, or few more', () => {
    expect(assessWindow(leaky, windowOf(holesIn(4)), thresholds).verdict).toBe('quiet')
    expect(assessWindow(leaky, windowOf(holesIn(3)), thresholds).verdict).toBe('quiet')
  })

  it('drift as well where none is missing any more, and where all are', () => {
    expect(assessWindow(leaky, windowOf(range(200)), thresholds).verdict).toBe('drifted')
    const all = assessWindow(leaky, windowOf(range(200).map(() => Number.NaN)), thresholds)
    expect(all).toMatchObject({ verdict: 'drifted', untested: ['height'] })
  })
})

describe('categories', () => {
  const shares = (...counts: number[]): number[] => counts.flatMap((count, code) => range(count).map(() => code))
  const towns = createDriftReference({
    modelVersion: '3',
    featureNames: ['town'],
    columns: [shares(500, 300, 200)],
    categories: [['north', 'south', 'east']],
  })
  const assess = (codes: number[]) => assessWindow(towns, windowOf(codes), thresholds)

  it('are quiet in the same shares', () => {
    const assessment = assess(shares(100, 60, 40))
    expect(assessment.verdict).toBe('quiet')
    expect(assessment.features).toMatchObject([
      { feature: 'town', test: 'chi_square', statistic: 0, pValue: 1, psi: 0 },
    ])
  })

  it('drift where a share of the events changed category', () => {
    const assessment = assess(shares(60, 60, 80))
    expect(assessment.verdict).toBe('drifted')
    expect(assessment.features[0]!.statistic).toBeCloseTo(0.2, 12)
  })

  it('do not drift by a sure but small change', () => {
    const assessment = assess(shares(4200, 3800, 2000))
    expect(assessment.features[0]!.adjustedPValue).toBeLessThan(1e-3)
    expect(assessment).toMatchObject({ verdict: 'quiet' })
  })

  it('drift where they are ones that the model does not know, whatever their code', () => {
    const assessment = assess([...shares(70, 45, 25), ...range(60, 3)])
    expect(assessment.features[0]!.statistic).toBeCloseTo(0.3, 12)
    expect(assessment.verdict).toBe('drifted')
  })

  it('do not drift by a few unknown ones: too few for the test to tell', () => {
    const strict = { ...thresholds, minStatistic: 0 }
    const assessment = assessWindow(towns, windowOf([...shares(99, 60, 39), 3, 3]), strict)
    expect(assessment.features[0]!.pValue).toBeGreaterThan(0.01)
  })

  it('are untested where the window has too few', () => {
    const few = [...shares(10, 5), ...range(185).map(() => Number.NaN)]
    expect(assess(few)).toMatchObject({ untested: ['town'], verdict: 'drifted' })
  })
})

it.each([[[range(3), range(4)]], [[range(3)]], [[]]])('a reference of uneven columns is refused (%#)', (columns) => {
  expect(() => createDriftReference({ modelVersion: '3', featureNames: ['a', 'b'], columns })).toThrow(ReferenceInvalid)
})
