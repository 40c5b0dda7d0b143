import { describe, expect, it } from 'vitest'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'
import { buildPrediction, inModelOrder, type ScoredBlock } from '../../../src/models/predict.ts'
import type { Scorer } from '../../../src/models/scorer.ts'

const spec = (name: string): FeatureSpec => ({ name, type: 'double', nullable: false })
const category = (name: string, ...categories: string[]): FeatureSpec => ({
  name,
  type: 'category',
  categories,
  nullable: true,
})

const block = (outputs: number[], features: number[], changes: Partial<ScoredBlock> = {}): ScoredBlock => ({
  scorer: {
    kind: 'classification',
    featureNames: ['a', 'b'],
    classNames: ['low', 'mid', 'high'],
    outputs: 3,
    scoreBlock: () => undefined,
  },
  specs: [spec('a'), spec('b')],
  modelVersion: '7',
  modelRole: 'champion',
  scoredAt: 2000,
  outputs: Float64Array.from(outputs),
  features: Float64Array.from(features),
  ...changes,
})
const event = { eventId: 'e-1', eventTime: 1000, sourcePartition: 3, sourceOffset: 42, values: {} }

describe('the record of a scored row', () => {
  it('takes its own row of the block', () => {
    const prediction = buildPrediction(event, block([0.9, 0.1, 0, 0.2, 0.3, 0.5], [1, 2, 3, 4]), 1)
    expect(prediction).toEqual({
      event_id: 'e-1',
      source_partition: 3,
      source_offset: 42,
      event_time: 1000,
      scored_at: 2000,
      prediction: 'high',
      class_index: 2,
      confidence: 0.5,
      probabilities: [0.2, 0.3, 0.5],
      value: null,
      model_version: '7',
      model_role: 'champion',
      features: [3, 4],
    })
  })

  it('names the first of equally probable classes', () => {
    expect(buildPrediction(event, block([0.2, 0.4, 0.4], [1, 2]), 0).prediction).toBe('mid')
  })

  it('writes a missing value as null', () => {
    expect(buildPrediction(event, block([1, 0, 0], [Number.NaN, 2]), 0).features).toEqual([null, 2])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is none where the model gave %s', (probability) => {
    const failing = () => buildPrediction(event, block([0.5, probability, 0.5], [1, 2]), 0)
    expect(failing).toThrowError(expect.objectContaining({ code: 'SCORING_FAILED' }))
  })
})

describe('the record of a predicted number', () => {
  const scorer: Scorer = {
    kind: 'regression',
    featureNames: ['a', 'b'],
    classNames: [],
    outputs: 1,
    scoreBlock: () => undefined,
  }

  it('has the number and its text, and neither class nor confidence', () => {
    expect(buildPrediction(event, block([1, -2.5e-7], [1, 2, 3, 4], { scorer }), 1)).toMatchObject({
      prediction: '-2.5e-7',
      value: -2.5e-7,
      class_index: null,
      confidence: null,
      probabilities: [],
      features: [3, 4],
    })
  })

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])('is none where the model gave %s', (value) => {
    const failing = () => buildPrediction(event, block([value], [1, 2], { scorer }), 0)
    expect(failing).toThrowError(expect.objectContaining({ code: 'SCORING_FAILED' }))
  })
})

describe('the categories of an event', () => {
  const specs = [category('a', 'x', 'y'), spec('b')]

  it('stand in the record by the names that the event brought, known or not', () => {
    const named = (code: number, a: string | null) =>
      buildPrediction({ ...event, values: { a, b: 2 } }, block([1, 0, 0], [code, 2], { specs }), 0).features
    expect(named(1, 'y')).toEqual(['y', 2])
    expect(named(2, 'never seen')).toEqual(['never seen', 2])
    expect(named(Number.NaN, null)).toEqual([null, 2])
  })
})

describe('the features of a task', () => {
  const model = (featureNames: string[], categories: string[][] = featureNames.map(() => [])) => ({
    scorer: { featureNames },
    manifest: { categories },
  })

  it('are put into the order of the model, which may leave some out', () => {
    const ordered = inModelOrder([spec('a'), spec('b'), spec('c')], model(['c', 'a']))
    expect(ordered.map((feature) => feature.name)).toEqual(['c', 'a'])
  })

  it('that a model misses make it unsuitable, for now', () => {
    const failing = () => inModelOrder([spec('a')], model(['a', 'z']))
    expect(failing).toThrowError(expect.objectContaining({ code: 'MODEL_UNSUITABLE', retryable: true }))
  })

  it('have the categories of the model, in its order: its codes were trained', () => {
    const task = [category('a', 'x', 'y', 'new')]
    expect(inModelOrder(task, model(['a'], [['y', 'x']]))).toEqual([category('a', 'y', 'x')])
  })

  it.each([
    ['a category', [category('a', 'x')], [[]]],
    ['a number', [spec('a')], [['x']]],
  ])('make a model unsuitable where the task alone has them as %s', (_name, task, categories) => {
    const failing = () => inModelOrder(task, model(['a'], categories))
    expect(failing).toThrowError(expect.objectContaining({ code: 'MODEL_UNSUITABLE' }))
  })
})
