import { expect, it } from 'vitest'
import { type Dataset, joinRows } from '../../src/features/dataset.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { evaluate, scoreAll } from '../../src/models/evaluate.ts'
import { type FittedModel, fitCandidate } from '../../src/models/fit-candidate.ts'
import { packSections } from '../../src/models/sections.ts'

/** Rows that every engine learns well: features of 3 columns, drawn from a seed. */
export type EasyRows<D extends Dataset = Dataset> = (seed: number) => D

/** The figure by which models are compared: accuracy or R2. */
export const headlineOf = (model: FittedModel, rows: Dataset): number => {
  const found = evaluate(model.scorer, rows)
  return found.kind === 'classification' ? found.accuracy : found.r2
}

const bytesOf = ({ arrays }: FittedModel): string => Buffer.from(packSections(arrays).binary).toString('hex')

/** The outputs of a row of features each. */
export const outputsOf = ({ scorer }: FittedModel, asked: Float64Array): Float64Array => {
  const rows = asked.length / scorer.featureNames.length
  const outputs = new Float64Array(rows * scorer.outputs)
  scorer.scoreBlock(asked, rows, outputs)
  return outputs
}

/** Rows with numbers that no training has seen, missing ones among them. */
export const hostileRows = (): Float64Array => {
  const far = [0, 1, -1, 1e9, -1e9, 1e300, -1e300, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY]
  return Float64Array.from(far.flatMap((a) => far.flatMap((b) => [a, b, 0])))
}

/** What holds for every engine, whatever it learns and learns by. */
export const testEngine = (candidate: Candidate, easy: EasyRows): void => {
  it('scores rows well that it has not seen', () => {
    expect(headlineOf(fitCandidate(candidate, easy(1), 1), easy(2))).toBeGreaterThan(0.9)
  })

  it('gives the same bytes for the same rows and seed', () => {
    expect(bytesOf(fitCandidate(candidate, easy(1), 7))).toBe(bytesOf(fitCandidate(candidate, easy(1), 7)))
  })

  it('does not draw from Math.random', () => {
    const original = Math.random
    Math.random = () => {
      throw new Error('Math.random was called')
    }
    try {
      fitCandidate(candidate, easy(3), 1)
    } finally {
      Math.random = original
    }
  })

  it('takes a missing value for the mean of the training rows, where it reads standardised features', () => {
    const model = fitCandidate(candidate, easy(5), 1)
    if (model.standardiser === null) return
    const mean = model.standardiser.mean[1]!
    const outputs = outputsOf(model, Float64Array.of(1, Number.NaN, 8, 1, mean, 8))
    const half = outputs.length / 2
    expect(outputs.slice(0, half)).toEqual(outputs.slice(half))
  })

  it('learns from rows with missing values', () => {
    const rows = easy(6)
    const features = rows.features.map((value, i) => (i % 23 === 0 ? Number.NaN : value))
    expect(headlineOf(fitCandidate(candidate, { ...rows, features }, 1), easy(2))).toBeGreaterThan(0.8)
  })

  it('scores a row the same, alone or anywhere in a block of any size', () => {
    const model = fitCandidate(candidate, easy(7), 1)
    const seen = easy(8).features
    const rows = 700
    const asked = Float64Array.from({ length: rows * 3 }, (_, i) => seen[i % seen.length]! + i / 1000)
    const together = outputsOf(model, asked)
    const { outputs } = model.scorer
    for (const row of [0, 1, 2, 3, 255, 256, 257, 511, 512, 699]) {
      const alone = outputsOf(model, asked.slice(row * 3, row * 3 + 3))
      expect(alone).toEqual(together.slice(row * outputs, (row + 1) * outputs))
    }
  })

  it('writes no further than its rows', () => {
    const { scorer } = fitCandidate(candidate, easy(9), 1)
    const { outputs } = scorer
    const out = new Float64Array(4 * outputs).fill(-7)
    scorer.scoreBlock(new Float64Array(12), 2, out)
    expect([...out.slice(2 * outputs)].every((value) => value === -7)).toBe(true)
    expect(() => scorer.scoreBlock(new Float64Array(12), 5, new Float64Array(5 * outputs))).toThrow(RangeError)
    expect(() => scorer.scoreBlock(new Float64Array(12), 4, new Float64Array(4 * outputs - 1))).toThrow(RangeError)
  })

  it('stands constant features and equal rows', () => {
    const rows = easy(10)
    const features = rows.features.map((value, i) => (i % 3 === 2 ? 0.1 : value))
    const training = { ...rows, features } as Dataset
    const model = fitCandidate(candidate, joinRows(training, training), 1)
    expect(headlineOf(model, training)).toBeGreaterThan(0.7)
    expect([...scoreAll(model.scorer, training)].every(Number.isFinite)).toBe(true)
  })
}
