import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelFamily } from '../../../src/models/candidate.ts'
import { familyScorers } from '../../../src/models/families.ts'
import type { ModelShape } from '../../../src/models/family-scorer.ts'
import { createSections, type NamedArray } from '../../../src/models/sections.ts'

const COLUMNS = 2
const OUTPUTS = 3
const PAIRS = 3

const numbers = (length: number, limit: number): fc.Arbitrary<Float64Array> =>
  fc
    .array(fc.double({ min: -limit, max: limit, noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values))

const named = (name: string, values: fc.Arbitrary<Float64Array | Int32Array>): fc.Arbitrary<NamedArray> =>
  values.map((array) => ({ name, values: array }))

/** Any parameters, far greater than those of a fit. */
const machines: Record<string, [family: ModelFamily, arrays: fc.Arbitrary<NamedArray[]>]> = {
  softmax: ['logistic', fc.tuple(named('softmax_weights', numbers(OUTPUTS * (COLUMNS + 1), 1e9)))],
  'one-vs-rest': ['logistic', fc.tuple(named('weights', numbers(OUTPUTS * (COLUMNS + 1), 1e9)))],
  'linear svm': [
    'svm',
    fc.tuple(
      named('weights', numbers(PAIRS * COLUMNS, 1e9)),
      named('intercepts', numbers(PAIRS, 1e9)),
      named('platt', numbers(2 * PAIRS, 100)),
    ),
  ],
  'rbf svm': [
    'svm',
    fc.tuple(
      named(
        'gamma',
        fc.double({ min: 1e-12, max: 1e12, noNaN: true }).map((gamma) => Float64Array.of(gamma)),
      ),
      named('vectors', numbers(4 * COLUMNS, 1e9)),
      named('coefficients', numbers(4 * (OUTPUTS - 1), 1e9)),
      named('class_vectors', fc.constant(Int32Array.of(1, 0, 3))),
      named('intercepts', numbers(PAIRS, 1e9)),
      named('platt', numbers(2 * PAIRS, 100)),
    ),
  ],
}

const shape: ModelShape = { kind: 'classification', columns: COLUMNS, outputs: OUTPUTS }

describe.each(Object.entries(machines))('%s', (_name, [family, arrays]) => {
  it('gives probabilities that sum to 1 for any standardised row', () => {
    fc.assert(
      fc.property(arrays, numbers(5 * COLUMNS, 1e9), (parameters, rows) => {
        const out = new Float64Array(5 * OUTPUTS)
        familyScorers[family](createSections(parameters), shape)(rows, 0, 5, out, 0)
        for (let row = 0; row < 5; row++) {
          const shares = [...out.subarray(row * OUTPUTS, (row + 1) * OUTPUTS)]
          expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true)
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
        }
      }),
      { seed: 7, numRuns: 500 },
    )
  })

  it('scores each row by itself, wherever it stands', () => {
    fc.assert(
      fc.property(arrays, numbers(5 * COLUMNS, 3), fc.nat(4), (parameters, rows, row) => {
        const score = familyScorers[family](createSections(parameters), shape)
        const together = new Float64Array(5 * OUTPUTS)
        score(rows, 0, 5, together, 0)
        const alone = new Float64Array(OUTPUTS + 2).fill(-1)
        score(rows, row * COLUMNS, 1, alone, 1)
        const expected = together.slice(row * OUTPUTS, (row + 1) * OUTPUTS)
        expect(alone).toEqual(Float64Array.of(-1, ...expected, -1))
      }),
      { seed: 8, numRuns: 200 },
    )
  })
})
