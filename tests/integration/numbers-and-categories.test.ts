import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Label } from '../../src/events.ts'
import type { FeatureSpec } from '../../src/features/feature-spec.ts'
import type { TargetSpec } from '../../src/features/target-spec.ts'
import type { RawRecord } from '../../src/kafka/kafka-types.ts'
import { createReaderDecoder } from '../../src/kafka/reader-decoder.ts'
import { type AvroRecord, typeOf } from '../../src/kafka/serde/avro-schemas.ts'
import { createSchemaRegistry, type SchemaRegistry } from '../../src/kafka/serde/schema-registry.ts'
import { createTaskCodecs, type TaskCodecs } from '../../src/kafka/serde/task-codecs.ts'
import { topicSpecs } from '../../src/kafka/topic-specs.ts'
import { runTopology } from '../../src/kafka/topology-runner.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import { recording } from '../../streams/recording.ts'
import { scoring } from '../../streams/scoring.ts'
import { type TaskTopics, topicsOf } from '../../streams/topics.ts'
import { eventually } from '../support/eventually.ts'
import {
  committedRecords,
  createKafkaBench,
  deleteTopics,
  type KafkaBench,
  readRecords,
  schemaRegistryUrl,
  temporaryFolder,
  text,
  uniqueName,
} from '../support/kafka.ts'
import { eventSchemas } from '../support/sample-event-schemas.ts'
import { testLogger } from '../support/test-logger.ts'

const features: FeatureSpec[] = [
  { name: 'size', type: 'double', nullable: false },
  { name: 'town', type: 'category', categories: ['north', 'south'], nullable: false },
  { name: 'view', type: 'category', categories: ['sea'], nullable: true },
]
const target: TargetSpec = { name: 'price', type: 'regression', unit: 'EUR' }

/** `100 * size + 10 * town`, by code. */
const scorer: Scorer = {
  kind: 'regression',
  featureNames: ['size', 'town', 'view'],
  classNames: [],
  outputs: 1,
  scoreBlock: (rows, count, out) => {
    for (let i = 0; i < count; i++) out[i] = 100 * rows[i * 3]! + 10 * rows[i * 3 + 1]!
  },
}
const manifest = { categories: [[], ['north', 'south'], ['sea']] }

let bench: KafkaBench
let name: string
let topics: TaskTopics
let registry: SchemaRegistry
let codecs: TaskCodecs
let cleaners: (() => Promise<unknown>)[]

const openCodecs = async (): Promise<TaskCodecs> =>
  createTaskCodecs({
    registry,
    schemas: await eventSchemas(),
    task: name,
    features,
    classes: null,
    maxEventBytes: 262_144,
    topics,
  })

beforeEach(async () => {
  bench = await createKafkaBench()
  name = uniqueName('prices')
  topics = topicsOf(name)
  const folder = await temporaryFolder()
  registry = createSchemaRegistry({ url: schemaRegistryUrl(), cacheDir: folder.path, logger: testLogger() })
  const specs = topicSpecs(topics, { partitions: 1, replicationFactor: 1 })
  await bench.admin.ensureTopics(specs)
  cleaners = [() => deleteTopics(specs.map((spec) => spec.name)), folder.remove]
})
afterEach(async () => {
  await bench.close()
  for (const clean of cleaners) await clean()
})

const json = (members: object): Buffer => Buffer.from(JSON.stringify(members))
const withId = (id: number, body: Uint8Array): Buffer => {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, body])
}

/** Registers a schema as some other team would, and writes with it. */
const foreignWriter = async (fields: AvroRecord['fields']) => {
  const schema: AvroRecord = { type: 'record', name: 'FeatureEvent', namespace: 'elsewhere', fields }
  const id = await registry.register(uniqueName('elsewhere'), schema)
  const type = typeOf(schema as Parameters<typeof typeOf>[0])
  return (message: object): Buffer => withId(id, type.toBuffer(message))
}

const common: AvroRecord['fields'] = [
  { name: 'event_id', type: 'string' },
  { name: 'event_time', type: 'long' },
]

test('events with categories are scored as numbers, strange ones become dead letters, and nobody stops', async () => {
  codecs = await openCodecs()
  const numbered = await foreignWriter([...common, { name: 'size', type: 'int' }, { name: 'town', type: 'int' }])
  const optional = await foreignWriter([
    ...common,
    { name: 'size', type: 'float' },
    { name: 'town', type: ['null', 'string'] },
  ])
  const values: [string, Buffer][] = [
    ['', Buffer.from(codecs.features.encode({ event_id: 'a', event_time: 1, size: 1, town: 'south', view: null }))],
    ['', json({ event_id: 'b', size: 2, town: 'east' })],
    ['', json({ event_id: 'c', size: 3, town: '', view: 'sea' })],
    ['FEATURE_NOT_TEXT', json({ event_id: 'd', size: 3, town: 5 })],
    ['FEATURE_NOT_TEXT', json({ event_id: 'e', size: 3, town: 'north', view: ['sea'] })],
    ['FEATURE_MISSING', json({ event_id: 'f', size: 3 })],
    ['FEATURE_MISSING', optional({ event_id: 'g', event_time: 1, size: 1, town: null })],
    ['BAD_AVRO', numbered({ event_id: 'h', event_time: 1, size: 1, town: 2 })],
    ['', optional({ event_id: 'i', event_time: 1, size: 0.5, town: 'north' })],
    // Half of a character, and a name as long as an event may be: names that no model knows.
    ['', Buffer.from('{"event_id":"j","size":4,"town":"\\ud800"}')],
    ['', json({ event_id: 'k', size: 5, town: 'x'.repeat(260_000) })],
    ['FEATURE_NOT_A_NUMBER', json({ event_id: 'l', size: 'north', town: 'north' })],
  ]
  await bench.producer.send(
    values.map(([, value], i) => ({ topic: topics.features.name, partition: 0, key: Buffer.from(String(i)), value })),
  )
  bench.track(
    await runTopology({
      client: bench.client,
      topology: scoring({
        topics,
        features,
        currentModel: () => ({ version: '1', scorer, manifest }),
        now: Date.now,
      }),
      group: `${name}.score`,
      reader: codecs.eventRows(),
      writer: codecs.predictionRows(topics.predictions.name),
      deadLetterTopic: topics.deadLetters.name,
      limits: { batchMaxRecords: 100, batchGoalMs: 200, sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 },
      now: Date.now,
      summarise: () => null,
    }),
  )
  const bad = values.filter(([code]) => code !== '').map(([code]) => code)
  const letters = await readRecords(bench, topics.deadLetters.name, (found) => found.length >= bad.length)
  expect(letters.map((letter) => text(letter.headers['driftline.error.code']))).toEqual(bad)

  const good = values.length - bad.length
  const records = await readRecords(bench, topics.predictions.name, (found) => found.length >= good)
  const predictions = records.map(({ value }) => {
    const decoded = codecs.predictions.decode(value)
    if (!decoded.ok) throw new Error(decoded.message)
    return decoded.value
  })
  expect(predictions.map(({ event_id, prediction, value }) => [event_id, prediction, value])).toEqual([
    ['a', '110', 110],
    ['b', '220', 220],
    ['c', '320', 320],
    ['i', '50', 50],
    ['j', '420', 420],
    ['k', '520', 520],
  ])
  expect(predictions.slice(0, 3).map((prediction) => prediction.features)).toEqual([
    [1, 'south', null],
    [2, 'east', null],
    [3, '', 'sea'],
  ])
  expect(predictions[5]?.features[1]).toHaveLength(260_000)
  expect(await committedRecords(topics.predictions.name)).toHaveLength(good)
})

test('labels of numbers are taken as numbers or decimal text, and others become dead letters', async () => {
  codecs = await openCodecs()
  const avro = (label: string): Buffer => Buffer.from(codecs.labels.encode({ event_id: 'e', label, labelled_at: 1 }))
  const values: [string, Buffer][] = [
    ['12.5', avro('12.5')],
    ['-7', json({ event_id: 'e', label: -7, labelled_at: 1 })],
    ['1e3', json({ event_id: 'e', label: '1e3', labelled_at: 1 })],
    ['BAD_LABEL', avro('high')],
    ['BAD_LABEL', avro('')],
    ['BAD_LABEL', json({ event_id: 'e', label: true, labelled_at: 1 })],
    ['BAD_LABEL', json({ event_id: 'e', labelled_at: 1 })],
    ['BAD_LABEL', Buffer.from('{"event_id":"e","label":1e999}')],
    ['BAD_EVENT_ID', json({ label: 1 })],
  ]
  await bench.producer.send(values.map(([, value]) => ({ topic: topics.labels.name, partition: 0, key: null, value })))

  const refused: string[] = []
  const rows: Label[] = []
  const decode = createReaderDecoder({
    codec: codecs.labels,
    producer: bench.producer,
    deadLetters: { topic: topics.deadLetters.name, partitions: 1 },
    now: Date.now,
    onDeadLetters: (found) => refused.push(...found.map(({ reason }) => reason.code)),
  })
  const { labelOutcomes } = recording({ task: name, target })
  bench.track(
    await bench.client.runAtLeastOnce({
      group: `${name}.record`,
      topics: [topics.labels.name],
      sessionTimeoutMs: 10_000,
      process: async (records: readonly RawRecord[]) => {
        for (const outcome of labelOutcomes(await decode(records))) {
          if (outcome.kind === 'row') rows.push(outcome.row)
          else refused.push(outcome.code)
        }
        return true
      },
    }),
  )
  await eventually(() => expect(rows.length + refused.length).toBe(values.length), { timeoutMs: 20_000 })
  expect(rows.map(({ label }) => label)).toEqual(['12.5', '-7', '1e3'])
  expect(refused.sort()).toEqual(['BAD_EVENT_ID', ...Array.from({ length: 5 }, () => 'BAD_LABEL')].sort())
})

test('a registry that has the schemas of before takes those of today, and what lies on the topic is read', async () => {
  const schemas = await eventSchemas()
  const before: Record<string, unknown> = {
    class_index: 'int',
    confidence: 'double',
    features: { type: 'array', items: ['null', 'double'] },
  }
  const fields = schemas.prediction.fields
    .filter((field) => field.name !== 'value')
    .map((field) => ({ name: field.name, type: before[field.name] ?? field.type }) as AvroRecord['fields'][number])
  const old: AvroRecord = { type: 'record', name: 'Prediction', namespace: 'driftline', fields }
  const id = await registry.register(`${topics.predictions.name}-value`, old)
  const drift = structuredClone(schemas.driftEvent)
  const features_ = drift.fields.find((field) => field.name === 'features')?.type as unknown as {
    items: { fields: { name: string }[] }
  }
  features_.items.fields = features_.items.fields.filter((field) => field.name !== 'test')
  await registry.register(`${topics.drift.name}-value`, drift)

  codecs = await openCodecs()
  expect(codecs.predictions.schemaId).not.toBe(id)
  const prediction = {
    event_id: 'e',
    source_partition: 0,
    source_offset: 7,
    event_time: 1,
    scored_at: 2,
    prediction: 'high',
    class_index: 1,
    confidence: 0.75,
    probabilities: [0.25, 0.75],
    model_version: '1',
    model_role: 'champion',
    features: [1.5, null],
  }
  const value = withId(id, typeOf(old as Parameters<typeof typeOf>[0]).toBuffer(prediction))
  await codecs.predictions.prepare([value])
  const decoded = codecs.predictions.decode(value)
  expect(decoded.ok && { ...decoded.value }).toEqual({ ...prediction, value: null })
})
