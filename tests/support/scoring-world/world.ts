import { resolve } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { readCommitted } from '../../../dev/stack/console-consumer.ts'
import type { KafkaClientName } from '../../../src/config/kafka-schema.ts'
import { createKafkaClient } from '../../../src/kafka/create-client.ts'
import type { KafkaAdmin, KafkaClient, PlainProducer } from '../../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../../src/kafka/record-batch.ts'
import { createSchemaRegistry } from '../../../src/kafka/serde/schema-registry.ts'
import { createTaskCodecs } from '../../../src/kafka/serde/task-codecs.ts'
import { topicSpecs } from '../../../src/kafka/topic-specs.ts'
import { type TaskTopics, topicsOf } from '../../../streams/topics.ts'
import { eventSchemas } from '../sample-event-schemas.ts'
import { createTestTask, type TestTask } from '../task-file.ts'
import { testLogger } from '../test-logger.ts'
import { createForeignWriter, type ForeignKind } from './foreign-writer.ts'
import { type Load, startLoad } from './load.ts'
import { eventId, judge, type Verdict } from './oracle.ts'
import { type ScoringWorker, startScoringWorker } from './scoring-worker.ts'
import { type StoredModels, storeModels } from './stored-models.ts'

// Those of the task file, to the letter: so that both register one and the same schema.
const FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => ({
  name,
  type: 'double' as const,
  nullable: false,
  unit: 'cm',
}))
const CLASSES = ['setosa', 'versicolor', 'virginica']

/** Where the servers are: as the workers are told, and as this process reaches them if that is another way. */
export type WorldServers = {
  readonly brokers: string
  readonly registryUrl: string
  readonly redisUrl: string
  /** Ways that no fault is put into. */
  readonly direct?: { readonly registryUrl: string; readonly redisUrl: string }
}

export type WorldOptions = {
  readonly servers: WorldServers
  readonly client: KafkaClientName
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly sessionTimeoutMs?: number
  readonly transactionTimeoutMs?: number
  /** Model versions in the store; the first one is in production. */
  readonly models?: number
}

/** A prediction, and where it stands. */
export type WrittenPrediction = {
  readonly partition: number
  readonly offset: bigint
  readonly modelVersion: string
  /** ms since the epoch, by the worker's clock */
  readonly scoredAt: number
}

/** The bytes of the event with this number. */
export type Encode = (number: number) => Uint8Array

/** A task with its topics and models, its workers, and what is sent to them. */
export type ScoringWorld = {
  readonly task: TestTask
  readonly topics: TaskTopics
  readonly group: string
  readonly partitions: number
  readonly models: StoredModels
  readonly client: KafkaClient
  readonly admin: KafkaAdmin
  readonly producer: PlainProducer
  /** An event that can be scored, in the task's own schema. */
  readonly encode: Encode
  /** The same by a writer whose schema is not the task's own. */
  readonly foreignWriter: (kind: ForeignKind) => Promise<Encode>
  /** Every so many events of a load cannot be scored. */
  readonly load: (eventsPerSecond: number, options?: { poisonEvery?: number; encode?: Encode }) => Load
  readonly startWorker: (options?: { env?: NodeJS.ProcessEnv; movingClock?: boolean }) => ScoringWorker
  /** Workers that were started and have not ended. */
  readonly running: () => ScoringWorker[]
  /** Records that wait, over all partitions. */
  readonly lag: () => Promise<bigint>
  /** Resolves when nothing waits. @throws where that takes longer than `timeoutMs`, or no worker runs any more */
  readonly drained: (timeoutMs?: number) => Promise<void>
  /** What is committed on the predictions, by partition in the order of their offsets. */
  readonly predictions: () => Promise<WrittenPrediction[]>
  /** Ends the load that runs, waits until all is scored, and compares. */
  readonly verdict: (options?: { timeoutMs?: number }) => Promise<Verdict>
  readonly close: () => Promise<void>
}

const LAG_EVERY_MS = 200

export const createScoringWorld = async (options: WorldOptions): Promise<ScoringWorld> => {
  const { servers, client: clientName, partitions = 4, replicationFactor = 1, models: modelCount = 1 } = options
  const { sessionTimeoutMs = 6000, transactionTimeoutMs = 4000 } = options
  const direct = servers.direct ?? servers
  const task = createTestTask({ stream: { partitions, replicationFactor, sessionTimeoutMs, transactionTimeoutMs } })
  const topics = topicsOf(task.task)
  const group = `${task.task}.score`
  const logger = testLogger()
  const client = await createKafkaClient(clientName, { brokers: servers.brokers.split(','), clientId: 'world', logger })
  const admin = await client.admin()
  await admin.ensureTopics(topicSpecs(topics, { partitions, replicationFactor }))
  const producer = await client.producer()
  const codecs = await createTaskCodecs({
    registry: createSchemaRegistry({ url: direct.registryUrl, cacheDir: `${task.home}/world-schemas`, logger }),
    schemas: await eventSchemas(),
    task: task.task,
    features: FEATURES,
    classes: CLASSES,
    maxEventBytes: 262_144,
    topics,
  })
  const models = await storeModels(task, direct.redisUrl, modelCount)
  const workers = new Set<ScoringWorker>()
  const loads: Load[] = []
  let workersStarted = 0
  let sent = 0

  const eventOf = (number: number) => ({
    event_id: eventId(number),
    event_time: Date.now(),
    sepal_length: 4.3 + (number % 36) / 10,
    sepal_width: 2 + (number % 24) / 10,
    petal_length: 1 + (number % 59) / 10,
    petal_width: 0.1 + (number % 24) / 10,
  })
  const encode: Encode = (number) => codecs.features.encode(eventOf(number))

  const running = (): ScoringWorker[] => [...workers].filter((worker) => worker.isRunning())

  const lag = async (): Promise<bigint> =>
    [...(await admin.consumerLag(group, topics.features.name)).values()].reduce((sum, waiting) => sum + waiting, 0n)

  const drained = async (timeoutMs = 60_000): Promise<void> => {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      // A broker that is just being restarted answers the next time.
      const waiting = await lag().catch(() => -1n)
      if (waiting === 0n) return
      if (running().length === 0) {
        throw new Error(`no worker runs and ${waiting} events wait:\n${[...workers].at(-1)?.complaints()}`)
      }
      if (performance.now() > deadline) {
        const said = running().map((worker) => `${worker.name}: ${worker.complaints()}`)
        throw new Error(`${waiting} events still wait after ${timeoutMs} ms\n${said.join('\n')}`)
      }
      await later(LAG_EVERY_MS)
    }
  }

  const stopLoads = async (): Promise<void> => {
    await Promise.all(loads.map((load) => load.stop()))
  }

  return {
    ...{ task, topics, group, partitions, models, client, admin, producer, encode, running, lag, drained },

    foreignWriter: async (kind) => {
      const write = await createForeignWriter({
        kind,
        registryUrl: direct.registryUrl,
        subject: `${topics.features.name}-${kind}`,
        task: task.task,
        features: FEATURES,
      })
      return (number) => write(eventOf(number))
    },

    load: (eventsPerSecond, { poisonEvery = 0, encode: own = encode } = {}) => {
      const isPoison = (number: number): boolean => poisonEvery > 0 && number % poisonEvery === poisonEvery - 1
      const started = startLoad({
        producer,
        topic: topics.features.name,
        partitions,
        eventsPerSecond,
        encode: (number) => (isPoison(number) ? Buffer.from(`poison ${number}`) : own(number)),
        first: sent,
      })
      const load: Load = {
        ...started,
        stop: async () => {
          await started.stop()
          sent = Math.max(sent, started.next())
        },
      }
      loads.push(load)
      return load
    },

    startWorker: ({ env = {}, movingClock = false } = {}) => {
      workersStarted += 1
      const worker = startScoringWorker({
        name: `worker ${workersStarted}`,
        movingClock,
        env: {
          DRIFTLINE_CONFIG: task.configFile,
          DRIFTLINE_HOME: task.home,
          DRIFTLINE_KAFKA_CLIENT: clientName,
          KAFKA_BROKERS: servers.brokers,
          SCHEMA_REGISTRY_URL: servers.registryUrl,
          REDIS_URL: servers.redisUrl,
          ...env,
        },
      })
      workers.add(worker)
      worker.ended.then(() => workers.delete(worker))
      return worker
    },

    predictions: async () => {
      const committed = new Set<string>()
      await readCommitted({
        brokers: servers.brokers,
        topic: topics.predictions.name,
        home: resolve('.driftline'),
        onRecord: ({ partition, offset }) => committed.add(`${partition}/${offset}`),
      })
      const written: WrittenPrediction[] = []
      await client.readRanges({
        topic: topics.predictions.name,
        ranges: await admin.offsetRanges(topics.predictions.name),
        process: async (batch) => {
          const records = recordsOf(batch)
          await codecs.predictions.prepare(records.map(({ value }) => value))
          for (const { partition, offset, value } of records) {
            // Kafka's own reader says what is committed; ours tells what stands in it.
            const result = committed.has(`${partition}/${offset}`) ? codecs.predictions.decode(value) : undefined
            if (result === undefined) continue
            if (!result.ok) throw new Error(`prediction ${partition}/${offset} cannot be read: ${result.message}`)
            const { model_version: modelVersion, scored_at: scoredAt } = result.value
            written.push({ partition, offset, modelVersion, scoredAt })
          }
        },
      })
      return written.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
    },

    verdict: async ({ timeoutMs = 60_000 } = {}) => {
      await stopLoads()
      await drained(timeoutMs)
      const confirmed = function* (): Generator<number> {
        for (const load of loads) yield* load.confirmed()
      }
      return judge({
        brokers: servers.brokers,
        topics,
        confirmed: confirmed(),
        timeoutMs: Math.max(timeoutMs, 120_000),
      })
    },

    close: async () => {
      await stopLoads()
      await Promise.all([...workers].map((worker) => worker.stop()))
      await Promise.allSettled([producer.close(), admin.close(), models.close()])
      task.remove()
    },
  }
}
