import { expect, test } from 'vitest'
import type { ScoredRows } from '../../../src/event-rows.ts'
import type { FeatureEvent } from '../../../src/events.ts'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'
import type { ScoringModel } from '../../../src/models/score-rows.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import { summariseRows } from '../../../src/models/summarise-rows.ts'
import { scoring } from '../../../streams/scoring.ts'
import { createSampleCodecs, type SampleCodecs } from '../../support/sample-codecs.ts'

const features: readonly FeatureSpec[] = [
  { name: 'a', type: 'double', nullable: false, range: [0, 100] },
  { name: 'b', type: 'double', nullable: true },
]
const codecs = await createSampleCodecs({ features })
const { topics } = codecs

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

/** The same with the features as the task has them. */
const inTaskOrder = (seen: Float64Array[] = []): Scorer => ({
  ...scorer(),
  featureNames: ['a', 'b'],
  scoreBlock: (vectors, count, out) => {
    seen.push(vectors)
    for (let i = 0; i < count; i++) out.set([vectors[i * 2]! / 100, 1 - vectors[i * 2]! / 100], i * 2)
  },
})

const event = (offset: number, values: Record<string, unknown>): FeatureEvent =>
  ({ event_id: `e${offset}`, event_time: 1000 + offset, ...values }) as FeatureEvent

/** Two numbers: no categories. */
const manifest = { categories: [[], []] }

const create = (model: ScoringModel | null, now = 5000) =>
  scoring({ topics, features, currentModel: () => model, now: () => now })

/** Rows of events that come as JSON, which may hold anything. */
const jsonRows = (events: readonly object[], from: SampleCodecs = codecs) => {
  const batch = from.batchOf(events.map((one) => JSON.stringify(one)))
  return { rows: from.eventRows().read(batch).rows, batch }
}

/** What became of each row: its prediction's class, or why there is none. */
const outcomesOf = ({ rows, refused, classIndexes, model }: ScoredRows) =>
  Array.from({ length: rows.length }, (_, row) => refused.get(row)?.code ?? model.classNames[classIndexes[row]!])

test('a prediction says what was scored, by what, and in the order of the model', () => {
  const { process, reads, writes } = create({ version: '7', manifest, scorer: scorer() })
  const { rows, batch } = codecs.rowsOf([event(42, { a: 80, b: null })])
  expect(codecs.published(process(rows), batch).predictions).toEqual([
    {
      event_id: 'e42',
      source_partition: 3,
      source_offset: 40,
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
  ])
  expect([reads, writes]).toEqual([[topics.features], [topics.predictions]])
})

test('each event has its outcome at its place, and the good ones are scored in one block', () => {
  const model = scorer()
  const { rows, batch } = jsonRows([
    event(0, { a: 10, b: 1 }),
    event(1, { b: 1 }),
    event(2, { a: 'x', b: 1 }),
    event(4, { a: 101, b: 1 }),
    event(6, { a: 90, b: 2 }),
  ])
  const scored = create({ version: '1', manifest, scorer: model }).process(rows)
  expect(outcomesOf(scored)).toEqual(['low', 'FEATURE_MISSING', 'FEATURE_NOT_A_NUMBER', 'FEATURE_OUT_OF_RANGE', 'high'])
  const { predictions, refused } = codecs.published(scored, batch)
  expect(predictions.map((one) => [one.event_id, one.prediction, one.features])).toEqual([
    ['e0', 'low', [1, 10]],
    ['e6', 'high', [2, 90]],
  ])
  expect([...refused.keys()]).toEqual([1, 2, 3])
  expect(refused.get(1)?.message).toBe('a is missing, and it may not be')
  expect(model.rows).toEqual([2])
})

test('Avro can hold what is no number, and that is refused for the features that the model takes', () => {
  const events = [
    event(0, { a: Number.NaN, b: 1 }),
    event(1, { a: 90, b: Number.POSITIVE_INFINITY }),
    event(2, { a: 9, b: 1 }),
    event(3, { a: -1, b: 1 }),
  ]
  const both = create({ version: '1', manifest, scorer: scorer() }).process(codecs.rowsOf(events).rows)
  expect(outcomesOf(both)).toEqual(['FEATURE_NOT_FINITE', 'FEATURE_NOT_FINITE', 'low', 'FEATURE_OUT_OF_RANGE'])
  // A model that leaves a feature out does not mind what stands there.
  const onlyB: Scorer = {
    ...scorer(),
    featureNames: ['b'],
    scoreBlock: (vectors, count, out) => {
      for (let i = 0; i < count; i++) out.set([vectors[i]!, 1 - vectors[i]!], i * 2)
    },
  }
  const one = create({ version: '1', manifest: { categories: [[]] }, scorer: onlyB })
  expect(outcomesOf(one.process(codecs.rowsOf(events).rows))).toEqual(['low', 'FEATURE_NOT_FINITE', 'low', 'low'])
})

test('an event that makes the model throw harms no other', () => {
  const bad = new Set([13, 57, 58])
  const { process } = create({ version: '1', manifest, scorer: scorer((a) => bad.has(a)) })
  const events = Array.from({ length: 100 }, (_, i) => event(i, { a: i, b: 0 }))
  // Refused ones stand between: what the block throws for has another place than its row.
  const { rows, batch } = jsonRows([event(-1, {}), ...events.slice(0, 50), event(-2, {}), ...events.slice(50)])
  const { predictions, refused } = codecs.published(process(rows), batch)
  expect([...refused].filter(([, { code }]) => code === 'SCORING_FAILED')).toEqual(
    [14, 59, 60].map((place, i) => [
      place,
      { code: 'SCORING_FAILED', message: `model 1 could not score it: a is ${[...bad][i]}` },
    ]),
  )
  expect(predictions).toHaveLength(97)
  for (const { event_id, confidence } of predictions) {
    const i = Number(event_id.slice(1))
    expect(confidence).toBeCloseTo(Math.max(i, 100 - i) / 100)
  }
})

test('a probability that is no number is no prediction', () => {
  const broken: Scorer = {
    ...scorer(),
    scoreBlock: (_features, rows, out) => {
      for (let row = 0; row < rows; row++) out.set([row === 1 ? Number.NaN : 0.25, 0.75], row * 2)
    },
  }
  const { rows } = codecs.rowsOf([event(0, { a: 1, b: 1 }), event(1, { a: 1, b: 1 }), event(2, { a: 1, b: 1 })])
  const scored = create({ version: '1', manifest, scorer: broken }).process(rows)
  expect([...scored.refused]).toEqual([[1, { code: 'SCORING_FAILED', message: 'model 1 gave the probability NaN' }]])
})

test('without a model, or with one of another task, events wait', () => {
  const { rows } = codecs.rowsOf([event(0, { a: 1, b: 1 })])
  const other = { ...scorer(), featureNames: ['z'] }
  for (const [model, code] of [
    [null, 'NO_MODEL'],
    [{ version: '1', manifest, scorer: other }, 'MODEL_UNSUITABLE'],
  ] as const) {
    expect(() => create(model).process(rows)).toThrow(expect.objectContaining({ code, retryable: true }))
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
  const many = codecs.rowsOf(Array.from({ length: 500 }, (_, i) => event(i, { a: 99, b: i })))
  const large = codecs.published(process(many.rows), many.batch).predictions
  expect(reads).toBe(1)
  model = { version: '2', manifest, scorer: inTaskOrder() }
  const one = codecs.rowsOf([event(0, { a: 1, b: null })])
  const small = codecs.published(process(one.rows), one.batch).predictions
  expect(large.every(({ model_version }) => model_version === '1')).toBe(true)
  expect(large[499]).toMatchObject({ features: [499, 99], prediction: 'high' })
  expect(small).toEqual([expect.objectContaining({ model_version: '2', prediction: 'high', features: [1, null] })])
  // The same scorer under another name is another model.
  model = { ...model, version: '3' }
  expect(process(one.rows).model.version).toBe('3')
})

test('rows that are in the order of the model are scored where they lie', () => {
  const seen: Float64Array[] = []
  const { process } = create({ version: '1', manifest, scorer: inTaskOrder(seen) })
  const { rows } = codecs.rowsOf([event(0, { a: 1, b: null }), event(1, { a: 2, b: 3 })])
  expect(process(rows).features).toBe(rows.numbers)
  expect(seen[0]?.buffer).toBe(rows.numbers.buffer)
  // A row that came as JSON is put between them; the rows stay as they are, for other models.
  const batch = codecs.batchOf([Buffer.from(codecs.features.encode(event(0, { a: 1, b: 2 }))), '{"a":60}'])
  const mixed = codecs.eventRows().read(batch).rows
  expect(outcomesOf(process(mixed))).toEqual(['high', 'low'])
  expect(codecs.published(process(mixed), batch).predictions.map((one) => one.features)).toEqual([
    [1, 2],
    [60, null],
  ])
})

test('no events, no block', () => {
  const model = scorer()
  const { rows } = codecs.rowsOf([])
  expect(create({ version: '1', manifest, scorer: model }).process(rows).refused.size).toBe(0)
  expect(model.rows).toEqual([])
})

const mixedFeatures: readonly FeatureSpec[] = [
  ...features,
  { name: 'town', type: 'category', categories: ['north', 'south', 'east'], nullable: true },
]
const mixedCodecs = await createSampleCodecs({ features: mixedFeatures })

/** A regression that was trained when there were two towns, in another order: 10 * town + a. */
const townModel = (seen: number[] = []): ScoringModel => ({
  version: '1',
  manifest: { categories: [['south', 'north'], []] },
  scorer: {
    kind: 'regression',
    featureNames: ['town', 'a'],
    classNames: [],
    outputs: 1,
    scoreBlock: (vectors, rows, out) => {
      for (let i = 0; i < rows; i++) {
        seen.push(vectors[i * 2]!)
        out[i] = 10 * (Number.isNaN(vectors[i * 2]!) ? 5 : vectors[i * 2]!) + vectors[i * 2 + 1]!
      }
    },
  },
})
const scoreTowns = (model: ScoringModel) =>
  scoring({ topics: mixedCodecs.topics, features: mixedFeatures, currentModel: () => model, now: () => 5000 }).process

test.each([
  ['Avro', (events: FeatureEvent[]) => mixedCodecs.rowsOf(events)],
  ['JSON', (events: FeatureEvent[]) => jsonRows(events, mixedCodecs)],
])('categories in %s reach the model as its own codes, and the prediction names them', (_name, read) => {
  const seen: number[] = []
  const { rows, batch } = read([
    event(0, { a: 1, b: null, town: 'north' }),
    event(1, { a: 2, b: null, town: 'east' }),
    event(2, { a: 4, b: null, town: 'south' }),
    event(3, { a: 5, b: null, town: null }),
  ])
  const scored = scoreTowns(townModel(seen))(rows)
  expect(seen).toEqual([1, 2, 0, Number.NaN])
  const { predictions } = mixedCodecs.published(scored, batch)
  expect(predictions.map(({ prediction, value, features }) => [prediction, value, features])).toEqual([
    ['11', 11, ['north', 1]],
    ['22', 22, ['east', 2]],
    ['4', 4, ['south', 4]],
    ['55', 55, [null, 5]],
  ])
  expect(predictions[0]).toMatchObject({ class_index: null, confidence: null, probabilities: [] })
})

test('a category that is no text is refused', () => {
  const { rows } = jsonRows([event(0, { a: 3, town: 7 }), event(1, { a: 3, town: 'south' })], mixedCodecs)
  const scored = scoreTowns(townModel())(rows)
  expect([...scored.refused].map(([row, { code }]) => [row, code])).toEqual([[0, 'FEATURE_NOT_TEXT']])
})

test('a summary counts the predictions of a batch, and not what was refused', () => {
  const classes = codecs.rowsOf([10, 90, 101, 20].map((a, i) => event(i, { a, b: 1 })))
  expect(summariseRows(create({ version: '7', manifest, scorer: scorer() }).process(classes.rows))).toEqual({
    ...{ modelVersion: '7', kind: 'classification', predictions: 3, oldestEventTime: 1000 },
    byClass: new Map([
      ['low', 2],
      ['high', 1],
    ]),
    unknownCategories: new Map(),
  })
  const towns = mixedCodecs.rowsOf([
    event(5, { a: 1, b: null, town: 'east' }),
    event(4, { a: 2, b: null, town: 'west' }),
    event(3, { a: 3, b: null, town: null }),
    event(2, { a: 4, b: null, town: 'south' }),
    event(1, { a: 101, b: null, town: 'west' }),
  ])
  expect(summariseRows(scoreTowns(townModel())(towns.rows))).toEqual({
    ...{ modelVersion: '1', kind: 'regression', predictions: 4, oldestEventTime: 1001 },
    ...{ byClass: new Map(), unknownCategories: new Map([['town', 2]]) },
  })
  const none = create({ version: '7', manifest, scorer: scorer() }).process(codecs.rowsOf([]).rows)
  expect(summariseRows(none)).toMatchObject({ predictions: 0, oldestEventTime: Number.POSITIVE_INFINITY })
})
