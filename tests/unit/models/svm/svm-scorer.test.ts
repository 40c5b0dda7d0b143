import { describe, expect, it } from 'vitest'
import type { ModelShape } from '../../../../src/models/family-scorer.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import { createSections, type SectionArray } from '../../../../src/models/sections.ts'
import { openSvmDecisions } from '../../../../src/models/svm/svm-decisions.ts'
import { openSvm } from '../../../../src/models/svm/svm-scorer.ts'

const shape: ModelShape = { kind: 'classification', columns: 1, outputs: 3 }

// Classes 0, 1, 2 have the vectors 0 and 1, 2, 3; kernel values far away are 0, so each coefficient stands alone.
const sound: Readonly<Record<string, SectionArray>> = {
  gamma: Float64Array.of(100),
  vectors: Float64Array.of(0, 10, 20, 30),
  coefficients: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  class_vectors: Int32Array.of(2, 1, 1),
  intercepts: Float64Array.of(100, 200, 300),
  platt: Float64Array.of(-1, 0, -1, 0, -1, 0),
}

const sectionsOf = (changed: Readonly<Record<string, SectionArray>>) =>
  createSections(Object.entries({ ...sound, ...changed }).map(([name, values]) => ({ name, values })))

it('adds the coefficient of a vector to the pairs of its class alone', () => {
  const decide = openSvmDecisions(sectionsOf({}), shape)
  const decisions = new Float64Array(3)
  const at = (value: number): number[] => {
    decide(Float64Array.of(Number.NaN, value), 1, decisions)
    return [...decisions]
  }
  // Pairs (0,1), (0,2), (1,2). Class 0 has its coefficients against 1 and 2, class 1 against 0 and 2, and so on.
  expect(at(0)).toEqual([101, 202, 300])
  expect(at(10)).toEqual([103, 204, 300])
  expect(at(20)).toEqual([105, 200, 306])
  expect(at(30)).toEqual([100, 207, 308])
})

describe('a model whose arrays do not fit together is refused', () => {
  it.each<[string, Record<string, SectionArray>]>([
    ['a kernel without width', { gamma: Float64Array.of(0) }],
    ['a negative width', { gamma: Float64Array.of(-1) }],
    ['a vector that no row can be near', { vectors: Float64Array.of(0, 10, 20, 2e9) }],
    ['a coefficient too few', { coefficients: new Float64Array(7) }],
    ['a negative count', { class_vectors: Int32Array.of(5, -2, 1) }],
    ['more vectors than there are', { class_vectors: Int32Array.of(2, 2, 1) }],
    ['a class too few', { class_vectors: Int32Array.of(2, 2) }],
    ['an intercept too many', { intercepts: new Float64Array(4) }],
    ['a sigmoid too few', { platt: new Float64Array(4) }],
    ['a coefficient that is no number', { coefficients: sound['coefficients']!.map(() => Number.NaN) }],
  ])('%s', (_, changed) => {
    expect(() => openSvm(sectionsOf(changed), shape)).toThrow(ArtefactCorrupt)
  })

  it('vectors that end within a row', () => {
    expect(() => openSvm(sectionsOf({}), { ...shape, columns: 3 })).toThrow(ArtefactCorrupt)
  })
})
