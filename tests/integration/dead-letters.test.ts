import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDeadLetterTopic } from '../../src/kafka/dead-letter-topic.ts'
import type { KeyedRecord } from '../../src/kafka/kafka-types.ts'
import { createReaderDecoder } from '../../src/kafka/reader-decoder.ts'
import { type AvroRecord, typeOf } from '../../src/kafka/serde/avro-schemas.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, createKafkaBench, type KafkaBench, readRecords, text } from '../support/kafka.ts'
import { createSmallTask, type SmallTask } from '../support/small-task.ts'

let bench: KafkaBench
let task: SmallTask
beforeEach(async () => {
  bench = await createKafkaBench()
  task = await createSmallTask({ bench })
})
afterEach(async () => {
  await bench.close()
  await task.close()
})

const withId = (id: number, body: Uint8Array): Buffer => {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, body])
}

const caughtUp = (group: string, topic: string) =>
  eventually(
    async () => {
      const lag = await bench.admin.consumerLag(group, topic)
      expect([...lag.values()].every((waiting) => waiting === 0n)).toBe(true)
    },
    { timeoutMs: 40_000, everyMs: 200 },
  )

/** Registers a schema as some other team would, and writes with it. */
const foreignWriter = async (subject: string, fields: AvroRecord['fields'], name = 'FeatureEvent') => {
  const schema: AvroRecord = { type: 'record', name, namespace: 'elsewhere', fields }
  const id = await task.registry.register(`${task.name}.${subject}`, schema)
  const type = typeOf(schema as Parameters<typeof typeOf>[0])
  return (message: object): Buffer => withId(id, type.toBuffer(message))
}

test('what cannot be scored is kept byte for byte with its cause, and everything else is scored once', async () => {
  const { codecs, topics } = task
  const goodEvent = (i: number) => codecs.features.encode({ event_id: `good${i}`, event_time: 1000 + i, a: i, b: null })
  const good = Buffer.from(goodEvent(0))
  const withoutA = await foreignWriter('without-a', [
    { name: 'event_id', type: 'string' },
    { name: 'event_time', type: 'long' },
    { name: 'b', type: 'double' },
  ])
  const otherRecord = await foreignWriter('other-record', [{ name: 'x', type: 'int' }], 'Other')
  const bomb = await foreignWriter('bomb', [
    { name: 'event_id', type: 'string' },
    { name: 'event_time', type: 'long' },
    { name: 'a', type: 'double' },
    { name: 'zeros', type: { type: 'array', items: 'null' } },
  ])
  const nearlyTooLargeForTheBroker = Buffer.alloc(1_040_000, 0x41)
  const json = (members: object): Buffer => Buffer.from(JSON.stringify(members))
  const avro = (a: number): Buffer => Buffer.from(codecs.features.encode({ event_id: 'x', event_time: 1, a, b: null }))

  const bad: [string, Buffer | null][] = [
    ['BAD_WIRE_FORMAT', Buffer.from([7, 200, 13, 255, 0, 1])],
    ['BAD_WIRE_FORMAT', Buffer.alloc(0)],
    ['BAD_WIRE_FORMAT', null],
    ['BAD_WIRE_FORMAT', Buffer.from([0, 0, 1])],
    ['UNKNOWN_SCHEMA', withId(2_000_000_000, good.subarray(5))],
    ['BAD_AVRO', good.subarray(0, -1)],
    ['BAD_AVRO', Buffer.concat([good, Buffer.from([0])])],
    ['BAD_AVRO', otherRecord({ x: 1 })],
    ['BAD_AVRO', bomb({ event_id: 'b', event_time: 1, a: 1, zeros: [] })],
    ['BAD_JSON', Buffer.from('{"a": 1')],
    ['FEATURE_MISSING', withoutA({ event_id: 'm', event_time: 1, b: 2 })],
    ['FEATURE_MISSING', json({ b: 1 })],
    ['FEATURE_NOT_A_NUMBER', json({ a: '1' })],
    ['FEATURE_NOT_FINITE', avro(Number.NaN)],
    ['FEATURE_NOT_FINITE', avro(Number.POSITIVE_INFINITY)],
    ['BAD_EVENT_ID', json({ event_id: '', a: 1 })],
    ['BAD_EVENT_TIME', json({ event_time: 'soon', a: 1 })],
    ['RECORD_TOO_LARGE', nearlyTooLargeForTheBroker],
  ]
  const records: KeyedRecord[] = []
  bad.forEach(([code, value], i) => {
    records.push({
      topic: topics.features.name,
      partition: i % 2,
      key: Buffer.from(`bad${i}`),
      value,
      headers: { code },
    })
    records.push({ topic: topics.features.name, partition: i % 2, key: Buffer.from(`good${i}`), value: goodEvent(i) })
  })
  records.push({ topic: topics.features.name, partition: 0, key: Buffer.from('json'), value: json({ a: 5 }) })
  const places = await bench.producer.send(records)

  const committed: { codes: string[]; outputs: number } = { codes: [], outputs: 0 }
  await task.score(bench.client, {
    onCommitted: ({ outputs, deadLetters }) => {
      committed.outputs += outputs
      committed.codes.push(...deadLetters.map((letter) => letter.reason.code))
    },
  })
  await caughtUp(`${task.name}.score`, topics.features.name)

  const predictions = await committedRecords(topics.predictions.name)
  expect(predictions.map((record) => record.key).sort()).toEqual([...bad.map((_, i) => `good${i}`), 'json'].sort())
  for (const prediction of predictions) {
    const place = records.findIndex((record) => text(record.key) === prediction.key)
    const { partition, offset } = places[place]!
    expect(prediction.partition).toBe(partition)
    expect(prediction.headers['driftline.prediction_id']).toBe(`${topics.features.name}-${partition}-${offset}`)
  }

  const letters = await readRecords(bench, topics.deadLetters.name, (found) => found.length >= bad.length)
  expect(letters).toHaveLength(bad.length)
  expect(committed.outputs).toBe(predictions.length)
  expect(committed.codes.sort()).toEqual(bad.map(([code]) => code).sort())
  bad.forEach(([code, value], i) => {
    const letter = letters.find((found) => text(found.key) === `bad${i}`)
    const header = (name: string) => text(letter?.headers[`driftline.error.${name}`])
    expect(header('code')).toBe(code)
    expect(letter?.value === null || letter?.value === undefined ? null : Buffer.from(letter.value)).toEqual(value)
    expect([header('topic'), header('partition')]).toEqual([topics.features.name, String(i % 2)])
    expect(header('offset')).toBe(String(places[i * 2]?.offset))
    expect(header('message')).not.toBe('')
    expect(Number(header('failed_at'))).toBeGreaterThan(0)
    // The headers of the event stay with it.
    expect(text(letter?.headers['code'])).toBe(code)
    if (code === 'UNKNOWN_SCHEMA') expect(header('schema_id')).toBe('2000000000')
  })
})

test('a missing feature is named, whatever the event was written with', async () => {
  const write = await foreignWriter('without-a', [
    { name: 'event_id', type: 'string' },
    { name: 'event_time', type: 'long' },
  ])
  await bench.producer.send([
    { topic: task.topics.features.name, partition: 0, key: null, value: write({ event_id: 'm', event_time: 1 }) },
    { topic: task.topics.features.name, partition: 0, key: null, value: Buffer.from('{}') },
  ])
  await task.score(bench.client)
  const letters = await readRecords(bench, task.topics.deadLetters.name, (found) => found.length >= 2)
  for (const letter of letters) expect(text(letter.headers['driftline.error.message'])).toMatch(/^a is missing/)
})

test('a schema that fits is read, though it is not ours', async () => {
  const write = await foreignWriter('fits', [
    { name: 'more', type: 'string' },
    { name: 'a', type: 'int' },
    { name: 'event_time', type: 'long' },
    { name: 'event_id', type: 'string' },
  ])
  const value = write({ more: 'x', a: 3, event_time: 9, event_id: 'fits' })
  await bench.producer.send([{ topic: task.topics.features.name, partition: 0, key: null, value }])
  await task.score(bench.client)
  const [record] = await readRecords(bench, task.topics.predictions.name, (found) => found.length >= 1)
  const prediction = task.codecs.predictions.decode(record?.value ?? null)
  expect(prediction).toMatchObject({ ok: true, value: { event_id: 'fits', event_time: 9, features: [3, null] } })
})

test('a reader writes what it cannot decode to the dead letters before it commits', async () => {
  const { topics, codecs } = task
  const label = codecs.labels.encode({ event_id: 'e1', label: 'low', labelled_at: 3 })
  await bench.producer.send([
    { topic: topics.labels.name, partition: 0, key: null, value: label },
    { topic: topics.labels.name, partition: 0, key: Buffer.from('odd'), value: Buffer.from('odd') },
    { topic: topics.labels.name, partition: 0, key: null, value: Buffer.from('{"event_id":"e2","label":"middle"}') },
    { topic: topics.labels.name, partition: 0, key: null, value: Buffer.from('{"event_id":"e3","label":"high"}') },
  ])
  const decode = createReaderDecoder({
    codec: codecs.labels,
    producer: bench.producer,
    deadLetters: await openDeadLetterTopic(bench.admin, topics.deadLetters.name),
    now: Date.now,
  })
  const seen: string[] = []
  bench.track(
    await bench.client.runAtLeastOnce({
      group: `${task.name}.record`,
      topics: [topics.labels.name],
      sessionTimeoutMs: 6000,
      process: async (records) => {
        seen.push(...(await decode(records)).map(({ value }) => value.event_id))
        return true
      },
    }),
  )
  await caughtUp(`${task.name}.record`, topics.labels.name)
  expect(seen).toEqual(['e1', 'e3'])
  const letters = await committedRecords(topics.deadLetters.name)
  expect(letters.map((letter) => letter.headers['driftline.error.code']).sort()).toEqual([
    'BAD_WIRE_FORMAT',
    'UNKNOWN_LABEL',
  ])
})
