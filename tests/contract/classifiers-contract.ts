import { describe, expect, it } from 'vitest'
import { takeRows } from '../../src/features/dataset.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { fitCandidate } from '../../src/models/fit-candidate.ts'
import { clouds } from '../support/training-rows.ts'
import { type EasyRows, headlineOf, hostileRows, outputsOf, testEngine } from './engines-contract.ts'

const easy: EasyRows = (seed) => clouds({ rowsPerClass: 40, classes: 3, columns: 3, distance: 4, seed })

/** What holds for every engine that tells classes. */
export const describeClassifier = (candidate: Candidate): void => {
  describe(`classes by ${candidate.name}`, () => {
    testEngine(candidate, easy)

    it('gives finite probabilities that sum to 1, also far away from all it has seen and where values are missing', () => {
      const probabilities = outputsOf(fitCandidate(candidate, easy(4), 1), hostileRows())
      for (let at = 0; at < probabilities.length; at += 3) {
        const row = probabilities.subarray(at, at + 3)
        expect(row.every((p) => p >= 0 && p <= 1)).toBe(true)
        expect(Math.abs(row[0]! + row[1]! + row[2]! - 1)).toBeLessThan(1e-9)
      }
    })

    it('needs no more than one feature and two classes', () => {
      const shape = { classes: 2, columns: 1, distance: 5 }
      const model = fitCandidate(candidate, clouds({ ...shape, rowsPerClass: 30, seed: 1 }), 1)
      expect(headlineOf(model, clouds({ ...shape, rowsPerClass: 100, seed: 2 }))).toBeGreaterThan(0.95)
    })

    it('needs no more than two rows of each class', () => {
      const few = clouds({ rowsPerClass: 2, classes: 3, columns: 3, distance: 20, seed: 12 })
      const probabilities = outputsOf(fitCandidate(candidate, few, 1), few.features)
      expect([...probabilities].every((p) => p >= 0 && p <= 1)).toBe(true)
    })

    it('stands a class with one row', () => {
      const rows = easy(11)
      const few = takeRows(rows, [0, ...Array.from({ length: rows.rows }, (_, i) => i).filter((i) => i % 3 !== 0)])
      expect(headlineOf(fitCandidate(candidate, few, 1), few)).toBeGreaterThan(0.9)
    })
  })
}
