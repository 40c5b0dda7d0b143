import { describe, expect, it } from 'vitest'
import type { NumberDataset } from '../../src/features/dataset.ts'
import { createRandom } from '../../src/features/random.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { fitCandidate } from '../../src/models/fit-candidate.ts'
import { gaussian } from '../support/training-rows.ts'
import { type EasyRows, hostileRows, outputsOf, testEngine } from './engines-contract.ts'

/** A plane over 3 features, in another unit than theirs, with a little noise. */
const plane: EasyRows<NumberDataset> = (seed) => {
  const random = createRandom(seed, 'plane')
  const rows = 200
  const features = Float64Array.from({ length: rows * 3 }, () => gaussian(random))
  const targets = Float64Array.from(
    { length: rows },
    (_, row) => 500 + 100 * features[row * 3]! + 60 * features[row * 3 + 1]! + 10 * gaussian(random),
  )
  const featureNames = ['f0', 'f1', 'f2']
  return { kind: 'regression', featureNames, categories: featureNames.map(() => []), rows, features, targets }
}

/** What holds for every engine that tells numbers. */
export const describeRegressor = (candidate: Candidate): void => {
  describe(`numbers by ${candidate.name}`, () => {
    testEngine(candidate, plane)

    it('gives finite numbers, also far away from all it has seen and where values are missing', () => {
      const values = outputsOf(fitCandidate(candidate, plane(4), 1), hostileRows())
      expect([...values].every(Number.isFinite)).toBe(true)
    })

    it('predicts the one value of targets that are all the same', () => {
      const rows = plane(5)
      const model = fitCandidate(candidate, { ...rows, targets: rows.targets.fill(42) }, 1)
      for (const value of outputsOf(model, rows.features)) expect(value).toBeCloseTo(42, 9)
    })

    it('needs no more than three rows', () => {
      const targets = Float64Array.of(1, 2, 3)
      const few: NumberDataset = { ...plane(6), rows: 3, features: plane(6).features.slice(0, 9), targets }
      expect([...outputsOf(fitCandidate(candidate, few, 1), few.features)].every(Number.isFinite)).toBe(true)
    })
  })
}
