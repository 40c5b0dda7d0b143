import { expect, test } from 'vitest'
import type { FeatureEvent, Prediction } from '../../../src/events.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import type { Incoming, Outcome } from '../../../src/topology.ts'
import { type ScoringModel, scoring } from '../../../streams/scoring.ts'
import { topicsOf } from '../../../streams/topics.ts'

const topics = topicsOf('task')
const features = [
  { name: 'a', type: 'double', nullable: false, range: [0, 100] },
  { name: 'b', type: 'double', nullable: true },
] as const

/** Class `high` with the probability a / 100. It takes b before a, and throws for what `fails` says. */
const scorer = (fails: (a: number) => boolean = () => false): Scorer & { rows: number[] } => {
  const rows: number[] = []
  return {
    rows,
    kind: 'classification',
    featureNames: ['b', 'a'],
    classNames: ['low', 'high'],
    outputs: 2,
    scoreBlock: (vectors, count, probabilities) => {
      rows.push(count)
      for (let i = 0; i < count; i++) {
        const a = vectors[i * 2 + 1]!
        if (fails(a)) throw new Error(`a is ${a}`)
        probabilities[i * 2] = 1 - a / 100
        probabilities[i * 2 + 1] = a / 100
      }
    },
  }
}

const event = (offset: number, values: Record<string, unknown>): Incoming<FeatureEvent> => ({
  source: { topic: 'task.features', partition: 3, offset: BigInt(offset), timestamp: 1, key: null },
  value: { event_id: `e${offset}`, event_time: 1000 + offset, ...values } as FeatureEvent,
})

/** Two numbers: no categories. */
const manifest = { categories: [[], []] }

const create = (model: ScoringModel | null) => scoring({ topics, features, currentModel: () => model, now: () => 5000 })
const codeOf = (outcome: Outcome<Prediction> | undefined) =>
  outcome?.kind === 'dead-letter' ? outcome.code : outcome?.kind
const predictionOf = (outcome: Outcome<Prediction> | undefined): Prediction => {
  if (outcome?.kind !== 'emit') throw new Error(`no prediction but ${codeOf(outcome)}`)
  return outcome.value
}

test('a prediction says what was scored, by what, and in the order of the model', () => {
  const { process, reads, writes } = create({ version: '7', manifest, scorer: scorer() })
  const [outcome] = process([event(42, { a: 80, b: null })])
  expect(outcome).toEqual({
    kind: 'emit',
    topic: topics.predictions,
    value: {
      event_id: 'e42',
      source_partition: 3,
      source_offset: 42,
      event_time: 1042,
      scored_at: 5000,
      prediction: 'high',
      class_index: 1,
      confidence: 0.8,
      probabilities: [expect.closeTo(0.2), 0.8],
      value: null,
      model_version: '7',
      model_role: 'champion',
      features: [null, 80],
    },
  })
  expect([reads, writes]).toEqual([[topics.features], [topics.predictions]])
})

test('each event has its outcome at its place, and the good ones are scored in one block', () => {
  const model = scorer()
  const outcomes = create({ version: '1', manifest, scorer: model }).process([
    event(0, { a: 10, b: 1 }),
    event(1, { b: 1 }),
    event(2, { a: 'x', b: 1 }),
    event(3, { a: Number.NaN, b: 1 }),
    event(4, { a: 101, b: 1 }),
    event(5, { a: 90, b: Number.POSITIVE_INFINITY }),
    event(6, { a: 90, b: 2 }),
  ])
  expect(outcomes.map(codeOf)).toEqual([
    'emit',
    'FEATURE_MISSING',
    'FEATURE_NOT_A_NUMBER',
    'FEATURE_NOT_FINITE',
    'FEATURE_OUT_OF_RANGE',
    'FEATURE_NOT_FINITE',
    'emit',
  ])
  expect(predictionOf(outcomes[0])).toMatchObject({ event_id: 'e0', prediction: 'low', features: [1, 10] })
  expect(predictionOf(outcomes[6])).toMatchObject({ event_id: 'e6', prediction: 'high', features: [2, 90] })
  expect(model.rows).toEqual([2])
})

test('an event that makes the model throw harms no other', () => {
  const bad = new Set([13, 57, 58])
  const { process } = create({ version: '1', manifest, scorer: scorer((a) => bad.has(a)) })
  const outcomes = process(Array.from({ length: 100 }, (_, i) => event(i, { a: i, b: 0 })))
  outcomes.forEach((outcome, i) => {
    if (bad.has(i)) expect(codeOf(outcome)).toBe('SCORING_FAILED')
    else expect(predictionOf(outcome).confidence).toBeCloseTo(Math.max(i, 100 - i) / 100)
  })
})

test('a probability that is no number is no prediction', () => {
  const broken: Scorer = { ...scorer(), scoreBlock: (_f, _rows, out) => out.fill(Number.NaN) }
  expect(codeOf(create({ version: '1', manifest, scorer: broken }).process([event(0, { a: 1, b: 1 })])[0])).toBe(
    'SCORING_FAILED',
  )
})

test('without a model, or with one of another task, events wait', () => {
  const batch = [event(0, { a: 1, b: 1 })]
  const other = { ...scorer(), featureNames: ['z'] }
  for (const [model, code] of [
    [null, 'NO_MODEL'],
    [{ version: '1', manifest, scorer: other }, 'MODEL_UNSUITABLE'],
  ] as const) {
    expect(() => create(model).process(batch)).toThrow(expect.objectContaining({ code, retryable: true }))
  }
})

test('one model per batch, read once; buffers carry nothing over', () => {
  let reads = 0
  let model: ScoringModel = { version: '1', manifest, scorer: scorer() }
  const { process } = scoring({
    topics,
    features,
    currentModel: () => {
      reads++
      return model
    },
    now: () => 0,
  })
  const large = process(Array.from({ length: 500 }, (_, i) => event(i, { a: 99, b: i })))
  expect(reads).toBe(1)
  model = {
    version: '2',
    manifest,
    scorer: {
      ...scorer(),
      featureNames: ['a', 'b'],
      scoreBlock: (x, n, out) => {
        for (let i = 0; i < n; i++) out.set([x[i * 2]! / 100, 1 - x[i * 2]! / 100], i * 2)
      },
    },
  }
  const [small] = process([event(0, { a: 1, b: null })])
  expect(large.every((outcome) => predictionOf(outcome).model_version === '1')).toBe(true)
  expect(predictionOf(small)).toMatchObject({ model_version: '2', prediction: 'high', features: [1, null] })
  expect(predictionOf(large[499])).toMatchObject({ features: [499, 99], prediction: 'high' })
})

test('no events, no block', () => {
  const model = scorer()
  expect(create({ version: '1', manifest, scorer: model }).process([])).toEqual([])
  expect(model.rows).toEqual([])
})

test('categories reach the model as its own codes, and the prediction names them', () => {
  const seen: number[] = []
  const number: Scorer = {
    kind: 'regression',
    featureNames: ['town', 'a'],
    classNames: [],
    outputs: 1,
    scoreBlock: (vectors, rows, out) => {
      for (let i = 0; i < rows; i++) {
        seen.push(vectors[i * 2]!)
        out[i] = 10 * vectors[i * 2]! + vectors[i * 2 + 1]!
      }
    },
  }
  const { process } = scoring({
    topics,
    features: [
      ...features,
      { name: 'town', type: 'category', categories: ['north', 'south', 'east'], nullable: false },
    ],
    // The model was trained when there were two towns, in another order.
    currentModel: () => ({ version: '1', manifest: { categories: [['south', 'north'], []] }, scorer: number }),
    now: () => 5000,
  })
  const outcomes = process([
    event(0, { a: 1, town: 'north' }),
    event(1, { a: 2, town: 'east' }),
    event(2, { a: 3, town: 7 }),
    event(3, { a: 4, town: 'south' }),
  ])
  expect(outcomes.map(codeOf)).toEqual(['emit', 'emit', 'FEATURE_NOT_TEXT', 'emit'])
  expect(seen).toEqual([1, 2, 0])
  expect(predictionOf(outcomes[1])).toMatchObject({
    prediction: '22',
    value: 22,
    class_index: null,
    confidence: null,
    probabilities: [],
    features: ['east', 2],
  })
})
