import { expect, test, vi } from 'vitest'
import type { BatchReader, BatchWriter } from '../../../src/kafka/batch-stages.ts'
import type { DeadLetterReason } from '../../../src/kafka/dead-letters.ts'
import type { ExactlyOnceOptions, RecordBatch } from '../../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../../src/kafka/record-batch.ts'
import { type RunTopologyOptions, runTopology } from '../../../src/kafka/topology-runner.ts'
import type { Topology } from '../../../src/topology.ts'
import { createSampleSink, type SampleRecord, sampleBatch } from '../../support/sample-batch.ts'

const partitions: Record<string, number> = { in: 4, out: 4, narrow: 2, dead: 3 }

type Client = RunTopologyOptions<Texts, Texts, string[]>['client']

/** A client that keeps what it was asked to run. */
const fakeClient = () => {
  const runs: ExactlyOnceOptions[] = []
  const unused = () => Promise.reject(new Error('not used'))
  const client: Client = {
    runExactlyOnce: async (options) => {
      runs.push(options)
      return { stop: async () => undefined, done: Promise.resolve() }
    },
    admin: async () => ({
      ensureTopics: unused,
      partitionsOf: async (topic) => partitions[topic] ?? 0,
      topicConfig: async () => new Map([['max.message.bytes', '2097152']]),
      offsetRanges: unused,
      offsetsAt: unused,
      consumerLag: unused,
      ping: unused,
      close: async () => undefined,
    }),
  }
  return { client, runs }
}

type Texts = readonly { readonly place: number; readonly text: string }[]

/** Text in; `?` cannot be decoded. */
const reader: BatchReader<Texts> = {
  prepare: () => undefined,
  read: (batch) => {
    const texts = recordsOf(batch).map(({ value }, place) => ({ place, text: Buffer.from(value ?? []).toString() }))
    const odd: DeadLetterReason = { code: 'BAD_AVRO', message: 'odd', schemaId: 5 }
    return {
      rows: texts.filter(({ text }) => text !== '?'),
      failures: new Map(texts.filter(({ text }) => text === '?').map(({ place }) => [place, odd])),
    }
  },
}

/** Text out; `no` has no output for a reason, `drop` has none. */
const writer: BatchWriter<Texts, Texts> = {
  write: (_rows, result, { partition, bytes, keyStarts, keyEnds }, sink) => {
    const lane = sink.lane('out', partition, 'id')
    const failures = new Map<number, DeadLetterReason>()
    let outputs = 0
    for (const { place, text } of result) {
      if (text === 'NO') failures.set(place, { code: 'REFUSED', message: 'said no' })
      if (text === 'NO' || text === 'DROP') continue
      const scratch = Buffer.from(`<${text}>${place}`)
      lane.append(bytes, keyStarts[place]!, keyEnds[place]!, scratch, 0, text.length + 2, scratch.length)
      outputs++
    }
    return { outputs, failures }
  },
}

const shout: Topology<Texts, Texts> = {
  name: 'shout',
  reads: [{ name: 'in' }],
  writes: [{ name: 'out' }],
  process: (rows) => rows.map(({ place, text }) => ({ place, text: text.toUpperCase() })),
}

const batchOf = (values: readonly string[], from = 0, partition = 3): RecordBatch => {
  const records = values.map(
    (value, i): SampleRecord => ({ value, key: `k${from + i}`, offset: from + i, timestamp: 9 - i }),
  )
  return sampleBatch(records, { topic: 'in', partition })
}

const start = async (overrides: Partial<RunTopologyOptions<Texts, Texts, string[]>> = {}) => {
  const { client, runs } = fakeClient()
  await runTopology({
    client,
    topology: shout,
    group: 'task.score',
    reader,
    writer,
    deadLetterTopic: 'dead',
    limits: { batchMaxRecords: 10, batchGoalMs: 50, sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 },
    now: () => 99,
    summarise: (_rows, result) => result.map(({ text }) => text),
    ...overrides,
  })
  const run = runs[0]
  if (run === undefined) throw new Error('nothing was run')
  return run
}

const commit = { topic: 'in', records: 2, outputs: 1, transactions: 1, processMs: 1, commitMs: 1 }

test('outputs and dead letters of a batch go into one sink, dead letters in the order of their records', async () => {
  const run = await start()
  const { sink, records } = createSampleSink()
  expect(run.process(batchOf(['a', 'no', 'drop', '?']), sink)).toBeUndefined()
  expect(records.map(({ topic, partition, key, value }) => [topic, partition, String(key), String(value)])).toEqual([
    ['out', 3, 'k0', '<A>'],
    ['dead', 0, 'k1', 'no'],
    ['dead', 0, 'k3', '?'],
  ])
  expect(records[1]?.headers).toMatchObject({ 'driftline.error.code': 'REFUSED', 'driftline.error.failed_at': '99' })
  expect(records[2]?.headers).toMatchObject({ 'driftline.error.code': 'BAD_AVRO', 'driftline.error.schema_id': '5' })
})

test('where no topic takes dead letters they are only told of', async () => {
  const onProcessed = vi.fn()
  const run = await start({ deadLetterTopic: null, onProcessed })
  const { sink, records } = createSampleSink()
  run.process(batchOf(['?', 'a']), sink)
  expect(records.map(({ topic }) => topic)).toEqual(['out'])
  expect(onProcessed.mock.calls[0]?.[0].deadLetters).toEqual([
    { offset: 0, reason: expect.objectContaining({ code: 'BAD_AVRO' }) },
  ])
})

test('tells of attempts at once, and of results only when they are committed', async () => {
  const onProcessed = vi.fn()
  const onCommitted = vi.fn()
  const observed = vi.fn()
  const run = await start({ onProcessed, onCommitted, observer: { committed: observed, aborted: observed } })
  const { sink } = createSampleSink()
  run.process(batchOf(['a', '?'], 20), sink)
  run.process(batchOf(['a', '?'], 20), sink)
  run.process(batchOf(['b'], 7, 1), sink)
  expect(onProcessed).toHaveBeenCalledTimes(3)
  expect(onProcessed).toHaveBeenCalledWith(
    expect.objectContaining({ partition: 1, records: 1, outputs: 1, oldestTimestamp: 9, summary: ['B'] }),
  )
  expect(onCommitted).not.toHaveBeenCalled()

  run.observer?.aborted?.({ topic: 'in', partition: 3, code: 'X' })
  run.observer?.committed?.({ ...commit, partition: 3, nextOffset: 22n })
  expect(observed).toHaveBeenCalledTimes(2)
  expect(onCommitted).toHaveBeenCalledExactlyOnceWith({
    ...{ topic: 'in', partition: 3, records: 2, outputs: 1, nextOffset: 22n, processedAt: 99 },
    oldestTimestamp: 8,
    deadLetters: [{ offset: 21, reason: expect.objectContaining({ code: 'BAD_AVRO' }) }],
    summary: ['A'],
    ...{ decodeMs: expect.any(Number), scoreMs: expect.any(Number), encodeMs: expect.any(Number) },
    commitMs: expect.any(Number),
  })
})

test('records of which none can be decoded need no model', async () => {
  const process = vi.fn()
  const onProcessed = vi.fn()
  const run = await start({ topology: { ...shout, process }, onProcessed })
  const { sink, records } = createSampleSink()
  run.process(batchOf(['?', '?']), sink)
  expect(process).not.toHaveBeenCalled()
  expect(records).toHaveLength(2)
  expect(onProcessed).toHaveBeenCalledWith(expect.objectContaining({ summary: null, outputs: 0 }))
})

test('waits only for a schema that is not known', async () => {
  const prepared = Promise.withResolvers<void>()
  const run = await start({ reader: { ...reader, prepare: () => prepared.promise } })
  const { sink, records } = createSampleSink()
  const done = run.process(batchOf(['a']), sink)
  expect(records).toEqual([])
  prepared.resolve()
  await done
  expect(records).toHaveLength(1)
})

test('what the topology throws and what the registry lacks end the attempt', async () => {
  const { sink, records } = createSampleSink()
  const broken = await start({
    topology: {
      ...shout,
      process: () => {
        throw new Error('no model')
      },
    },
  })
  expect(() => broken.process(batchOf(['a', '?']), sink)).toThrow('no model')
  const down = await start({ reader: { ...reader, prepare: () => Promise.reject(new Error('down')) } })
  await expect(down.process(batchOf(['a', '?']), sink)).rejects.toThrow('down')
  expect(records).toEqual([])
})

test('bounds and limits are handed on', async () => {
  const bounds = new Map([[0, { from: 3n, to: 9n }]])
  const run = await start({ bounds })
  expect(run).toMatchObject({ group: 'task.score', topic: 'in', bounds, batchMaxRecords: 10, batchGoalMs: 50 })
  expect(await start()).not.toHaveProperty('bounds')
})

test('refuses to start where an output has fewer partitions than its input', async () => {
  const attempt = start({ topology: { ...shout, writes: [{ name: 'narrow' }] } })
  await expect(attempt).rejects.toMatchObject({ code: 'KAFKA_UNSUITABLE' })
  const two = start({ topology: { ...shout, reads: [{ name: 'in' }, { name: 'in' }] } })
  await expect(two).rejects.toMatchObject({ code: 'KAFKA_UNSUITABLE' })
})
