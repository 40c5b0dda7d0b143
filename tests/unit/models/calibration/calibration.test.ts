import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../../src/features/random.ts'
import { calibrationSections } from '../../../../src/models/calibration/calibration-sections.ts'
import { fitCalibration } from '../../../../src/models/calibration/fit-calibration.ts'
import { type Calibrate, openCalibration } from '../../../../src/models/calibration/open-calibration.ts'
import { scoreProbabilities } from '../../../../src/models/metrics/probability-scores.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import { createSections, type NamedArray } from '../../../../src/models/sections.ts'
import fixture from '../../../fixtures/models/scores.json' with { type: 'json' }

const methods = ['platt', 'isotonic'] as const

/** Rows whose true probabilities are known, and what a model says that is far too sure of them. */
const overconfident = (rows: number, classes: number, seed: number) => {
  const random = createRandom(seed, 'calibration')
  const labels = new Int32Array(rows)
  const given = new Float64Array(rows * classes)
  for (let row = 0; row < rows; row++) {
    const weights = Array.from({ length: classes }, () => random.next() ** 3 + 0.01)
    const sum = weights.reduce((total, weight) => total + weight, 0)
    let draw = random.next() * sum
    labels[row] = weights.findIndex((weight) => {
      draw -= weight
      return draw < 0
    })
    const sharp = weights.map((weight) => weight ** 4)
    const sharpSum = sharp.reduce((total, weight) => total + weight, 0)
    sharp.forEach((weight, c) => {
      given[row * classes + c] = weight / sharpSum
    })
  }
  return { labels, given }
}

const open = (arrays: readonly NamedArray[], method: (typeof methods)[number], classes: number): Calibrate =>
  openCalibration(createSections(arrays), method, classes)

const applied = (calibrate: Calibrate, given: Float64Array, rows: number): Float64Array => {
  const out = Float64Array.from(given)
  calibrate(out, rows, 0)
  return out
}

describe.each(methods)('%s', (method) => {
  it.each([2, 3, 10])('makes overconfident probabilities of %i classes honest on fresh rows', (classes) => {
    const past = overconfident(3000, classes, 1)
    const fresh = overconfident(3000, classes, 2)
    const calibrate = open(fitCalibration(method, past.given, past.labels, classes), method, classes)
    const before = scoreProbabilities(fresh.given, fresh.labels, classes)
    const after = scoreProbabilities(applied(calibrate, fresh.given, 3000), fresh.labels, classes)
    expect(after.log_loss).toBeLessThan(before.log_loss * 0.8)
    expect(after.brier_score).toBeLessThan(before.brier_score)
    expect(after.calibration_error).toBeLessThan(before.calibration_error / 3)
  })

  it('gives finite probabilities that sum to 1 for any row, and never turns the order of a class around', () => {
    const random = createRandom(7, 'rows')
    const share = fc.oneof(
      fc.constantFrom(0, 1, 1e-300, 1e-17, 1 - 2 ** -53),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    for (const classes of [2, 4]) {
      const rows = 60
      const labels = Int32Array.from({ length: rows }, (_, row) => row % classes)
      // Noise, of which some curves would fall, with exact zeros and ones.
      const given = Float64Array.from({ length: rows * classes }, () => Math.round(random.next() * 5) / 5)
      const calibrate = open(fitCalibration(method, given, labels, classes), method, classes)
      fc.assert(
        fc.property(fc.array(share, { minLength: classes, maxLength: classes }), share, (row, other) => {
          const raised = [...row]
          raised[1] = Math.max(row[1]!, other)
          if (classes === 2) raised[0] = 1 - raised[1]!
          const [a, b] = [row, raised].map((values) => applied(calibrate, Float64Array.from(values), 1))
          for (const out of [a!, b!]) {
            expect(out.every((value) => value >= 0 && value <= 1)).toBe(true)
            expect(out.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
          }
          expect(b![1]).toBeGreaterThanOrEqual(a![1]! - 1e-15)
        }),
        { seed: 11, numRuns: 500 },
      )
    }
  })

  it('corrects a row the same, alone or among others', () => {
    const { given, labels } = overconfident(200, 3, 3)
    const calibrate = open(fitCalibration(method, given, labels, 3), method, 3)
    const all = applied(calibrate, given, 200)
    const one = Float64Array.from(given)
    calibrate(one, 1, 3 * 77)
    expect(one.subarray(231, 234)).toEqual(all.subarray(231, 234))
    expect(one.subarray(0, 231)).toEqual(given.subarray(0, 231))
  })
})

describe('platt', () => {
  it.each(fixture.sigmoids.map((expected, i) => [i, expected] as const))(
    'has the curve of scikit-learn, case %i',
    (_, expected) => {
      const given = Float64Array.from(expected.p.flatMap((p) => [1 - p, p]))
      const labels = Int32Array.from(expected.positive, (yes) => (yes ? 1 : 0))
      const sections = createSections(fitCalibration('platt', given, labels, 2))
      expect(sections.float64(calibrationSections.slopes)[0]).toBeCloseTo(expected.slope, 4)
      expect(sections.float64(calibrationSections.intercepts)[0]).toBeCloseTo(expected.intercept, 4)
    },
  )

  it('is level where the probabilities run against the truth', () => {
    const given = Float64Array.from({ length: 40 }, (_, i) => (i % 4 < 2 ? 0.9 : 0.1)).map((p, i) =>
      i % 2 === 0 ? 1 - p : p,
    )
    const labels = Int32Array.from({ length: 20 }, (_, row) => (given[2 * row + 1]! > 0.5 ? 0 : 1))
    const calibrate = open(fitCalibration('platt', given, labels, 2), 'platt', 2)
    const out = applied(calibrate, Float64Array.of(0.99, 0.01, 0.01, 0.99), 2)
    expect(out[1]).toBe(out[3])
    expect(out[1]).toBeCloseTo(0.5, 12)
  })
})

describe('isotonic', () => {
  it('is never sure: a block without a counterexample stays off 0 and 1 by its size', () => {
    const given = Float64Array.from({ length: 80 }, (_, i) => (i < 40 === (i % 2 === 0) ? 0.8 : 0.2))
    const labels = Int32Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1))
    const calibrate = open(fitCalibration('isotonic', given, labels, 2), 'isotonic', 2)
    const out = applied(calibrate, Float64Array.of(1, 0, 0, 1), 2)
    expect(out[1]).toBeCloseTo(1 / 42, 12)
    expect(out[3]).toBeCloseTo(41 / 42, 12)
  })
})

describe('curves that are none are refused', () => {
  const platt: NamedArray[] = [
    { name: calibrationSections.slopes, values: Float64Array.of(1, 1, 1) },
    { name: calibrationSections.intercepts, values: Float64Array.of(0, 0, 0) },
  ]
  const points = (starts: number[], from: number[], to: number[]): NamedArray[] => [
    { name: calibrationSections.starts, values: Int32Array.from(starts) },
    { name: calibrationSections.from, values: Float64Array.from(from) },
    { name: calibrationSections.to, values: Float64Array.from(to) },
  ]

  it.each([
    ['no sections', 'platt', [], 3],
    ['too few curves', 'platt', platt, 4],
    ['a falling sigmoid', 'platt', [{ ...platt[0]!, values: Float64Array.of(1, -1, 1) }, platt[1]!], 3],
    ['a slope that is no number', 'platt', [{ ...platt[0]!, values: Float64Array.of(1, Number.NaN, 1) }, platt[1]!], 3],
    ['a curve without points', 'isotonic', points([0, 1, 1, 2], [0.5, 0.5], [0.5, 0.5]), 3],
    ['starts beyond the points', 'isotonic', points([0, 9], [0.5], [0.5]), 2],
    ['starts that go back', 'isotonic', points([0, 2, -1, 2], [0.1, 0.5], [0.1, 0.5]), 3],
    ['a falling curve', 'isotonic', points([0, 2], [0.1, 0.2], [0.5, 0.4]), 2],
    ['a standing curve', 'isotonic', points([0, 2], [0.1, 0.1], [0.4, 0.5]), 2],
    ['a value that is no probability', 'isotonic', points([0, 1], [0.5], [1.5]), 2],
    ['a point that is no probability', 'isotonic', points([0, 1], [-0.5], [0.5]), 2],
    ['missing values', 'isotonic', points([0, 2], [0.1, 0.2], [0.5]), 2],
  ] as const)('%s', (_, method, arrays, classes) => {
    expect(() => open(arrays, method, classes)).toThrow(ArtefactCorrupt)
  })

  it('extreme but finite ones give probabilities all the same', () => {
    const steep = [
      { name: calibrationSections.slopes, values: Float64Array.of(1e100, 0, 1e100) },
      { name: calibrationSections.intercepts, values: Float64Array.of(-1e100, -1e100, -1e100) },
    ]
    const row = Float64Array.of(0.2, 0.3, 0.5)
    expect(applied(open(steep, 'platt', 3), row, 1)).toEqual(row)
  })
})
