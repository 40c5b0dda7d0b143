import { readTaskDataset } from '../../src/cli/dataset.ts'
import { type KafkaParts, openKafka } from '../../src/cli/roles/kafka-parts.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { FeatureEvent } from '../../src/events.ts'
import { classNamesOf, type Dataset } from '../../src/features/dataset.ts'
import type { OffsetRange, RawRecord } from '../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import { runTopology } from '../../src/kafka/topology-runner.ts'
import { bestClass } from '../../src/models/best-class.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { loadScorer } from '../../src/models/load-scorer.ts'
import type { ModelManifest } from '../../src/models/manifest.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import { createFolderStore } from '../../src/registry/folder-store.ts'
import type { ArtefactStore } from '../../src/registry/registry-types.ts'
import { scoring } from '../../streams/scoring.ts'
import { mulberry32 } from './described-sample.ts'
import { deleteTopics } from './kafka.ts'
import { sampleRun } from './sample-artefact.ts'
import { storedModel } from './stored-model.ts'
import { createTestTask, type TestTask } from './task-file.ts'
import { testLogger } from './test-logger.ts'

export type StoredVersion = { readonly version: string; readonly scorer: Scorer; readonly manifest: ModelManifest }

/** An event of the task, by number, and the vector that it is. */
export type WorldEvent = { readonly event: FeatureEvent; readonly vector: Float64Array }

/** A task with stored versions, its topics, and events whose scores are known. */
export type VersionsWorld = {
  readonly task: TestTask
  readonly config: Config
  readonly store: ArtefactStore
  readonly kafka: KafkaParts
  readonly dataset: Dataset
  /** Fits a candidate to the task's rows and stores it as the next version. */
  readonly addVersion: (candidate: Candidate) => Promise<StoredVersion>
  readonly eventOf: (number: number) => WorldEvent
  /** Writes events by their numbers, one partition after the other. */
  readonly send: (from: number, to: number) => Promise<void>
  /** Publishes what a version says of all events from `from` on, as the role `score` does. */
  readonly publish: (version: StoredVersion, from?: ReadonlyMap<number, OffsetRange>) => Promise<void>
  /** All committed records of a topic, as they lie there. */
  readonly read: (topic: string) => Promise<RawRecord[]>
  readonly alsoDelete: (...topics: string[]) => void
  readonly close: () => Promise<void>
}

/** What a model says of one event, by its own arrays. */
export const sayOf = ({ scorer }: StoredVersion, { vector }: WorldEvent) => {
  const outputs = new Float64Array(scorer.outputs)
  scorer.scoreBlock(vector, 1, outputs)
  if (scorer.kind === 'regression') return { name: String(outputs[0]), outputs }
  return { name: scorer.classNames[bestClass(outputs, 0, outputs.length)]!, outputs }
}

export const createVersionsWorld = async (
  options: { example?: string; stream?: Record<string, number> } = {},
): Promise<VersionsWorld> => {
  const stream = { partitions: 3, sessionTimeoutMs: 6000, transactionTimeoutMs: 5000, ...options.stream }
  const task = createTestTask({ stream }, options.example)
  const config = await loadConfig({
    configPath: task.configFile,
    env: { ...process.env, DRIFTLINE_HOME: task.home, DRIFTLINE_LOG_LEVEL: 'silent' },
    servers: 'required',
  })
  const store = createFolderStore({ root: config.paths.artefacts })
  const kafka = await openKafka(config, 'test', testLogger())
  const dataset = await readTaskDataset(config)
  const producer = await kafka.client.producer()
  const width = dataset.featureNames.length
  const runs: number[] = []
  const deleted = Object.values(kafka.topics).map(({ name }) => name)

  const eventOf = (number: number): WorldEvent => {
    const random = mulberry32(number + 1)
    const row = number % dataset.rows
    const vector = dataset.features.slice(row * width, (row + 1) * width)
    const event: FeatureEvent = { event_id: `e${number}`, event_time: 1_000_000 + number }
    dataset.featureNames.forEach((name, column) => {
      const categories = dataset.categories[column] ?? []
      // Half a unit either way: enough that models differ on some rows.
      if (categories.length === 0) vector[column] = Math.max(0, vector[column]! + random() - 0.5)
      event[name] = categories[vector[column]!] ?? vector[column]!
    })
    return { event, vector }
  }

  return {
    ...{ task, config, store, kafka, dataset, eventOf },

    addVersion: async (candidate) => {
      const { manifest, binary } = storedModel(candidate, dataset)
      const artefact = { manifest: { ...manifest, task: task.task, classes: [...classNamesOf(dataset)] }, binary }
      const version = await store.addVersion(artefact, sampleRun())
      return { version, scorer: loadScorer(artefact.manifest, binary), manifest: artefact.manifest }
    },

    send: async (from, to) => {
      const { codecs, topics } = kafka
      const numbers = Array.from({ length: to - from }, (_, i) => from + i)
      for (let at = 0; at < numbers.length; at += 1000) {
        await producer.send(
          numbers.slice(at, at + 1000).map((number) => ({
            topic: topics.features.name,
            partition: number % stream.partitions,
            key: Buffer.from(`k${number}`),
            value: codecs.features.encode(eventOf(number).event),
          })),
        )
      }
    },

    publish: async (model, from) => {
      const { client, admin, codecs, topics } = kafka
      const bounds = new Map(
        [...(await admin.offsetRanges(topics.features.name))].map(([partition, held]) => [
          partition,
          { from: from?.get(partition)?.to ?? held.from, to: held.to },
        ]),
      )
      runs.push(runs.length)
      const consumer = await runTopology({
        client,
        topology: scoring({ topics, features: config.task.features, currentModel: () => model, now: Date.now }),
        group: `${task.task}.publish.${runs.length}`,
        reader: codecs.eventRows(),
        writer: codecs.predictionRows(topics.predictions.name),
        deadLetterTopic: topics.deadLetters.name,
        limits: config.task.stream,
        bounds,
        now: Date.now,
        summarise: () => null,
      })
      await consumer.done
    },

    read: async (topic) => {
      const records: RawRecord[] = []
      await kafka.client.readRanges({
        topic,
        ranges: await kafka.admin.offsetRanges(topic),
        process: (batch) => {
          // The batch is gone afterwards.
          records.push(...structuredClone(recordsOf(batch)))
        },
      })
      return records
    },

    alsoDelete: (...topics) => void deleted.push(...topics),

    close: async () => {
      await producer.close()
      await kafka.admin.close()
      await deleteTopics(deleted)
      task.remove()
    },
  }
}
