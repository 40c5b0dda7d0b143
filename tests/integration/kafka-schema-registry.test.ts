import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AvroRecord } from '../../src/kafka/serde/avro-schemas.ts'
import { typeOf } from '../../src/kafka/serde/avro-schemas.ts'
import { createSchemaCache } from '../../src/kafka/serde/schema-cache.ts'
import { createSchemaRegistry } from '../../src/kafka/serde/schema-registry.ts'
import type { ScoringModel } from '../../src/models/score-rows.ts'
import { eventually } from '../support/eventually.ts'
import {
  committedRecords,
  createKafkaBench,
  type KafkaBench,
  schemaRegistryUrl,
  temporaryFolder,
  uniqueName,
} from '../support/kafka.ts'
import { createSmallTask, smallScorer } from '../support/small-task.ts'
import { createUrlProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { testLogger } from '../support/test-logger.ts'

let cleaners: (() => Promise<unknown> | unknown)[] = []
let proxy: TcpProxy & { readonly url: string }
let cacheDir: string
beforeEach(async () => {
  cleaners = []
  proxy = await createUrlProxy(schemaRegistryUrl(), 80)
  const folder = await temporaryFolder()
  cacheDir = folder.path
  cleaners.push(folder.remove, proxy.close)
})
afterEach(async () => {
  for (const clean of cleaners.reverse()) await clean()
})

const registryAt = (url = proxy.url, folder = cacheDir) =>
  createSchemaRegistry({ url, cacheDir: folder, logger: testLogger(), requestTimeoutMs: 1500, unknownIdTtlMs: 200 })

const schemaWith = (...features: AvroRecord['fields']): AvroRecord => ({
  type: 'record',
  name: 'Event',
  namespace: 'test',
  fields: [{ name: 'event_id', type: 'string' }, ...features],
})
const x = { name: 'x', type: 'double' as const }

test('the same schema gets the same id, also when several register it at once', async () => {
  // Several rounds: who meets whom in the registry differs from one to the next.
  for (let round = 0; round < 5; round++) {
    const subject = uniqueName('subject')
    const ids = await Promise.all(Array.from({ length: 5 }, () => registryAt().register(subject, schemaWith(x))))
    expect(new Set(ids).size).toBe(1)
  }
})

test('a change that older values do not fit is refused, and one that they fit is not', async () => {
  const subject = uniqueName('subject')
  const registry = registryAt()
  await registry.register(subject, schemaWith(x))
  const required = registry.register(subject, schemaWith(x, { name: 'y', type: 'double' }))
  await expect(required).rejects.toMatchObject({ code: 'SCHEMA_REFUSED', retryable: false })
  await registry.register(subject, schemaWith(x, { name: 'y', type: ['null', 'double'], default: null }))
})

test('without a registry a first start fails, and a later one goes on with what it knows', async () => {
  const subject = uniqueName('subject')
  proxy.cut()
  const attempt = registryAt().register(subject, schemaWith(x))
  await expect(attempt).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true })
  proxy.heal()
  const id = await registryAt().register(subject, schemaWith(x))
  proxy.cut()
  expect(await registryAt().register(subject, schemaWith(x))).toBe(id)
  // Another schema was never registered, so there is no id that could stand for it.
  await expect(registryAt().register(subject, schemaWith())).rejects.toMatchObject({
    code: 'SCHEMA_REGISTRY_UNAVAILABLE',
  })
})

test('a registry that accepts and says nothing counts as down', async () => {
  proxy.stall()
  await expect(registryAt().writers.load([1])).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE' })
})

test('a schema is read from disk when the registry is down, and an unknown id is asked for again', async () => {
  const id = await registryAt(schemaRegistryUrl()).register(uniqueName('subject'), schemaWith(x))
  const first = registryAt()
  await first.writers.load([id, 1_999_999_999])
  expect(first.writers.get(id)).toMatchObject({ kind: 'known' })
  expect(first.writers.get(1_999_999_999)).toEqual({ kind: 'unknown' })
  proxy.cut()
  const second = registryAt()
  await second.writers.load([id])
  expect(second.writers.get(id)).toMatchObject({ kind: 'known' })
  await eventually(() => expect(first.writers.load([1_999_999_999])).rejects.toThrow())
})

test('a registry that gives ids anew makes what is on disk worthless', async () => {
  const subject = uniqueName('subject')
  const id = await registryAt().register(subject, schemaWith(x))
  const cache = createSchemaCache(cacheDir, proxy.url)
  await cache.addSchema(id, JSON.stringify(schemaWith()))
  await cache.addSchema(123_456, JSON.stringify(schemaWith()))
  await registryAt().register(subject, schemaWith(x))
  expect(await cache.schema(123_456)).toBeNull()
  expect(JSON.parse((await cache.schema(id)) ?? '')).toEqual(schemaWith(x))
})

const caughtUp = (bench: KafkaBench, group: string, topic: string) =>
  eventually(
    async () => {
      const lag = await bench.admin.consumerLag(group, topic)
      expect([...lag.values()]).toEqual([0n])
    },
    { timeoutMs: 40_000, everyMs: 200 },
  )

test('registry down: what is known is scored, what is not waits without a dead letter, and goes on by itself', async () => {
  const bench = await createKafkaBench()
  const task = await createSmallTask({ bench, partitions: 1, registryUrl: proxy.url, cacheDir })
  cleaners.push(task.close, bench.close)
  const schema: AvroRecord = {
    ...schemaWith({ name: 'event_time', type: 'long' }, { name: 'a', type: 'double' }),
    name: 'FeatureEvent',
  }
  const id = await registryAt(schemaRegistryUrl()).register(uniqueName('subject'), schema)
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  const body = typeOf(schema as Parameters<typeof typeOf>[0]).toBuffer({ event_id: 'foreign', event_time: 1, a: 1 })
  const send = (key: string, value: Uint8Array) =>
    bench.producer.send([{ topic: task.topics.features.name, partition: 0, key: Buffer.from(key), value }])
  const own = (key: string) => task.codecs.features.encode({ event_id: key, event_time: 1, a: 1, b: null })

  proxy.cut()
  let committed = 0
  await task.score(bench.client, {
    onCommitted: ({ records }) => {
      committed += records
    },
  })
  await send('known', own('known'))
  await eventually(() => expect(committed).toBe(1))
  await send('foreign', Buffer.concat([header, body]))
  await send('behind', own('behind'))
  // The worker meets the same: its schema cannot be asked for.
  const asking = task.codecs.features.prepare([Buffer.concat([header, body])])
  await expect(asking).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true })
  expect(committed).toBe(1)

  proxy.heal()
  await caughtUp(bench, `${task.name}.score`, task.topics.features.name)
  const keys = (await committedRecords(task.topics.predictions.name)).map((record) => record.key)
  expect(keys).toEqual(['known', 'foreign', 'behind'])
  expect(await committedRecords(task.topics.deadLetters.name)).toEqual([])
})

test('without a model events wait, and are scored when there is one', async () => {
  const bench = await createKafkaBench()
  const task = await createSmallTask({ bench, partitions: 1, cacheDir })
  cleaners.push(task.close, bench.close)
  let asked = 0
  let model: ScoringModel | null = null
  await task.score(bench.client, {
    currentModel: () => {
      asked++
      return model
    },
  })
  const value = task.codecs.features.encode({ event_id: 'e', event_time: 1, a: 1, b: null })
  await bench.producer.send([{ topic: task.topics.features.name, partition: 0, key: null, value }])
  await eventually(() => expect(asked).toBeGreaterThan(3))
  model = { version: '3', scorer: smallScorer, manifest: { categories: [[], []] } }
  await caughtUp(bench, `${task.name}.score`, task.topics.features.name)
  expect(await committedRecords(task.topics.predictions.name)).toHaveLength(1)
  expect(await committedRecords(task.topics.deadLetters.name)).toEqual([])
})
