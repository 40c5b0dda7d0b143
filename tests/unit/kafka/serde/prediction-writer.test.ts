import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ScoredRows } from '../../../../src/event-rows.ts'
import type { FeatureEvent, ModelRole } from '../../../../src/events.ts'
import { readEventVector } from '../../../../src/features/event-vector.ts'
import type { FeatureSpec } from '../../../../src/features/feature-spec.ts'
import type { RecordBatch } from '../../../../src/kafka/kafka-types.ts'
import { createPredictionWriter } from '../../../../src/kafka/serde/prediction-writer.ts'
import { buildPrediction, inModelOrder, ScoringFailed } from '../../../../src/models/predict.ts'
import { createRowScorer, type ScoringModel } from '../../../../src/models/score-rows.ts'
import type { Scorer } from '../../../../src/models/scorer.ts'
import { predictionIdOf } from '../../../../src/topology.ts'
import { createSampleSink, sampleBatch } from '../../../support/sample-batch.ts'
import { createSampleCodecs } from '../../../support/sample-codecs.ts'
import { eventSchemas } from '../../../support/sample-event-schemas.ts'

const features: readonly FeatureSpec[] = [
  { name: 'a', type: 'double', nullable: false },
  { name: 'b', type: 'double', nullable: true },
  { name: 'town', type: 'category', nullable: true, categories: ['north', 'south'] },
]
const codecs = await createSampleCodecs({ features })
const numbersOnly = features.slice(0, 2)
const plain = await createSampleCodecs({ features: numbersOnly })

const scorerOf = (changes: Partial<Scorer> = {}): Scorer => ({
  kind: 'classification',
  featureNames: ['town', 'b', 'a'],
  classNames: ['low', 'middling', 'hoch über'],
  outputs: 3,
  scoreBlock: (vectors, rows, out) => {
    for (let row = 0; row < rows; row++) {
      const a = Math.abs(vectors[row * 3 + 2]!)
      const low = Number.isFinite(a) ? 1 / (1 + a) : 0
      out.set([low, (1 - low) * 0.75, (1 - low) * 0.25], row * 3)
    }
  },
  ...changes,
})
const classifier: ScoringModel = {
  version: 'v-7',
  scorer: scorerOf(),
  // The model knows other towns, in another order.
  manifest: { categories: [['south', 'west'], [], []] },
}
const regression: ScoringModel = {
  ...classifier,
  scorer: scorerOf({
    kind: 'regression',
    classNames: [],
    outputs: 1,
    scoreBlock: (vectors, rows, out) => {
      for (let row = 0; row < rows; row++) out[row] = vectors[row * 3 + 2]! * 3
    },
  }),
}
const numeric: ScoringModel = {
  version: '12',
  scorer: scorerOf({
    featureNames: ['a', 'b'],
    classNames: ['only'],
    outputs: 1,
    scoreBlock: (_vectors, rows, out) => out.fill(1, 0, rows),
  }),
  manifest: { categories: [[], []] },
}

type World = { codecs: typeof codecs; model: ScoringModel; specs: readonly FeatureSpec[] }
const worlds: World[] = [
  { codecs, model: classifier, specs: features },
  { codecs, model: regression, specs: features },
  { codecs: plain, model: numeric, specs: numbersOnly },
]

const score = ({ codecs, model, specs }: World, batch: RecordBatch, role: ModelRole = 'champion'): ScoredRows => {
  const { rows } = codecs.eventRows().read(batch)
  return createRowScorer({ features: specs, now: () => 1_700_000_000_999 })(rows, model, role)
}

const write = (world: World, batch: RecordBatch, scored: ScoredRows) => {
  const { sink, records } = createSampleSink()
  const written = world.codecs.predictionRows('out').write(scored.rows, scored, batch, sink)
  expect(written.outputs).toBe(records.length)
  return { records, failures: written.failures }
}

type Oracle = { records: unknown[]; refused: [place: number, code: string, message: string][] }

/** What is written, and refused, by the codecs and `buildPrediction`: event by event, each scored alone. */
const writtenSlowly = (
  { codecs, model, specs }: World,
  batch: RecordBatch,
  { model: { role }, scoredAt }: ScoredRows,
): Oracle => {
  const { scorer, version } = model
  const ordered = inModelOrder(specs, model)
  // Several shadows say something of the same event.
  const shadowName = role === 'shadow' ? `-v${version}` : ''
  const features = new Float64Array(ordered.length)
  const outputs = new Float64Array(scorer.outputs)
  const oracle: Oracle = { records: [], refused: [] }
  for (let place = 0; place < batch.length; place++) {
    const offset = batch.offsets[place]!
    const source = { topic: batch.topic, partition: batch.partition, offset: BigInt(offset), timestamp: 1, key: null }
    const value = batch.bytes.subarray(batch.valueStarts[place]!, batch.valueEnds[place]!)
    const decoded = codecs.features.decode(value, source)
    if (!decoded.ok) throw new Error(decoded.message)
    const fault = readEventVector(decoded.value, ordered, features, 0)
    if (fault !== null) {
      oracle.refused.push([place, fault.code, fault.message])
      continue
    }
    scorer.scoreBlock(features, 1, outputs)
    const { event_id: eventId, event_time: eventTime } = decoded.value
    const event = { eventId, eventTime, sourcePartition: batch.partition, sourceOffset: offset, values: decoded.value }
    const block = { scorer, specs: ordered, modelVersion: version, modelRole: role, scoredAt, features, outputs }
    try {
      oracle.records.push({
        topic: 'out',
        partition: batch.partition,
        key: Buffer.from(`k${place}`),
        value: Buffer.from(codecs.predictions.encode(buildPrediction(event, block, 0))),
        headers: { 'driftline.prediction_id': Buffer.from(`${predictionIdOf(source)}${shadowName}`) },
      })
    } catch (error) {
      if (!(error instanceof ScoringFailed)) throw error
      oracle.refused.push([place, error.code, error.message])
    }
  }
  return oracle
}

const text = fc.oneof(
  fc.constantFrom('north', 'south', 'west', '', 'a'.repeat(100)),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double(), fc.constantFrom(0, -0))
const event = fc.record({
  event_id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  event_time: fc.integer({ min: -(2 ** 41), max: 2 ** 42 }),
  a: number,
  b: fc.option(number),
  town: fc.option(text),
})

describe('what is written', () => {
  it('is what the library writes of the same predictions, whatever the events and the model', () => {
    const batches = fc.record({
      world: fc.constantFrom(...worlds),
      events: fc.array(fc.tuple(event, fc.boolean()), { minLength: 1, maxLength: 10 }),
      firstOffset: fc.oneof(fc.nat(), fc.constantFrom(999_999_998, 2 ** 40)),
      role: fc.constantFrom<ModelRole>('champion', 'candidate', 'shadow'),
    })
    fc.assert(
      fc.property(batches, ({ world, events, firstOffset, role }) => {
        const batch = sampleBatch(
          events.map(([one, asJson], i) => ({
            key: `k${i}`,
            value: asJson ? JSON.stringify(one) : Buffer.from(world.codecs.features.encode(one as FeatureEvent)),
            offset: firstOffset + 2 * i,
          })),
          { topic: 'task.features', partition: 11 },
        )
        const scored = score(world, batch, role)
        const { records, failures } = write(world, batch, scored)
        const oracle = writtenSlowly(world, batch, scored)
        expect(records).toEqual(oracle.records)
        const refused = [...failures].map(([place, { code, message }]) => [place, code, message])
        expect(refused).toEqual(oracle.refused)
      }),
      { seed: 7, numRuns: 400 },
    )
  })

  it('names events without an id by their record, and keeps a missing key', () => {
    const batch = sampleBatch([{ value: '{"a":1}', offset: 77 }], { topic: 'task.features', partition: 2 })
    const { records } = write(worlds[0]!, batch, score(worlds[0]!, batch))
    expect(records[0]?.key).toBeNull()
    const decoded = codecs.predictions.decode(records[0]!.value)
    expect(decoded).toMatchObject({ ok: true, value: { event_id: 'task.features-2-77', source_offset: 77 } })
  })

  it('is proper UTF-8 where an event is not', () => {
    const event = Buffer.from(codecs.features.encode({ event_id: 'ab', event_time: 1, a: 1, b: null, town: 'xy' }))
    event[event.indexOf('ab')] = 0xff
    event[event.indexOf('xy')] = 0xc3
    const batch = sampleBatch([{ value: event }, { value: '{"event_id":"\\ud800","a":1,"town":"\\udc00"}' }])
    const { records } = write(worlds[0]!, batch, score(worlds[0]!, batch))
    const decoded = records.map(({ value }) => codecs.predictions.decode(value))
    expect(decoded[0]).toMatchObject({ value: { event_id: '\ufffdb', features: ['\ufffdy', null, 1] } })
    expect(decoded[1]).toMatchObject({ value: { event_id: '\ufffd', features: ['\ufffd', null, 1] } })
  })
})

describe('a record that no topic takes', () => {
  it('fails alone, and says how large it would be', () => {
    const model = { ...classifier, version: 'v'.repeat(999_000) }
    const world = { ...worlds[0]!, model }
    const value = (id: string) =>
      Buffer.from(codecs.features.encode({ event_id: id, event_time: 1, a: 1, b: 2, town: null }))
    const batch = sampleBatch([
      { value: value('small') },
      { value: value('x'.repeat(900)), key: 'k' },
      { value: value('again') },
    ])
    const { records, failures } = write(world, batch, score(world, batch))
    expect(records).toHaveLength(2)
    expect([...failures]).toEqual([
      [
        1,
        {
          code: 'RECORD_TOO_LARGE',
          message: expect.stringMatching(/^the output would have 1000\d{3} bytes with its key, and at most 1000000/),
        },
      ],
    ])
  })
})

describe('a schema of predictions that is not the one it writes', () => {
  it('is refused with the field that differs', async () => {
    const { prediction } = await eventSchemas()
    const swapped = { ...prediction, fields: [...prediction.fields.slice(1), prediction.fields[0]!] }
    const more = { ...prediction, fields: [...prediction.fields, { name: 'x', type: 'int' }] }
    const attempt = (schema: typeof prediction) => () => createPredictionWriter({ topic: 'out', schema, schemaId: 1 })
    expect(attempt(swapped)).toThrow(/"source_partition: null \| int" where "event_id: string"/)
    expect(attempt(more)).toThrow(/"x: int" where "none"/)
  })
})
