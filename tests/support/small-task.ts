import type { EventRows, ScoredRows } from '../../src/event-rows.ts'
import type { FeatureSpec } from '../../src/features/feature-spec.ts'
import type { KafkaClient, RunningConsumer } from '../../src/kafka/kafka-types.ts'
import { createSchemaRegistry, type SchemaRegistry } from '../../src/kafka/serde/schema-registry.ts'
import { createTaskCodecs, type TaskCodecs } from '../../src/kafka/serde/task-codecs.ts'
import { topicSpecs } from '../../src/kafka/topic-specs.ts'
import { type RunTopologyOptions, runTopology } from '../../src/kafka/topology-runner.ts'
import type { ScoringModel } from '../../src/models/score-rows.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import { type RowsSummary, summariseRows } from '../../src/models/summarise-rows.ts'
import { scoring } from '../../streams/scoring.ts'
import { type TaskTopics, topicsOf } from '../../streams/topics.ts'
import { deleteTopics, type KafkaBench, schemaRegistryUrl, temporaryFolder, uniqueName } from './kafka.ts'
import { eventSchemas } from './sample-event-schemas.ts'
import { testLogger } from './test-logger.ts'

export const SMALL_FEATURES: readonly FeatureSpec[] = [
  { name: 'a', type: 'double', nullable: false },
  { name: 'b', type: 'double', nullable: true },
]
export const SMALL_CLASSES = ['low', 'high']

/** `high` with the probability 1 / (1 + exp(-a)). */
export const smallScorer: Scorer = {
  kind: 'classification',
  featureNames: ['a', 'b'],
  classNames: SMALL_CLASSES,
  outputs: 2,
  scoreBlock: (features, rows, probabilities) => {
    for (let i = 0; i < rows; i++) {
      const high = 1 / (1 + Math.exp(-features[i * 2]!))
      probabilities[i * 2] = 1 - high
      probabilities[i * 2 + 1] = high
    }
  },
}

type ScoreOptions = RunTopologyOptions<EventRows, ScoredRows, RowsSummary>

export type ScoreOverrides = Partial<Omit<ScoreOptions, 'limits'>> & {
  readonly currentModel?: () => ScoringModel | null
  readonly limits?: Partial<ScoreOptions['limits']>
}

export type SmallTask = {
  readonly name: string
  readonly topics: TaskTopics
  readonly registry: SchemaRegistry
  readonly codecs: TaskCodecs
  /** Scores the task with `model`, or with what `overrides` says. */
  readonly score: (client: KafkaClient, overrides?: ScoreOverrides) => Promise<RunningConsumer>
  readonly close: () => Promise<void>
}

export type SmallTaskOptions = {
  readonly bench: KafkaBench
  readonly partitions?: number
  readonly registryUrl?: string
  readonly cacheDir?: string
  readonly unknownIdTtlMs?: number
  readonly maxEventBytes?: number
  readonly name?: string
  /** The topics are there and stay when this task is closed. */
  readonly existing?: boolean
}

/** A task of two features with its topics and codecs, all under names of its own. */
export const createSmallTask = async (options: SmallTaskOptions): Promise<SmallTask> => {
  const { bench, partitions = 2, registryUrl = schemaRegistryUrl(), unknownIdTtlMs, maxEventBytes = 262_144 } = options
  const name = options.name ?? uniqueName('task')
  const topics = topicsOf(name)
  const folder = options.cacheDir === undefined ? await temporaryFolder() : undefined
  const registry = createSchemaRegistry({
    url: registryUrl,
    cacheDir: options.cacheDir ?? folder?.path ?? '',
    logger: testLogger(),
    requestTimeoutMs: 2000,
    ...(unknownIdTtlMs === undefined ? {} : { unknownIdTtlMs }),
  })
  const codecs = await createTaskCodecs({
    registry,
    schemas: await eventSchemas(),
    task: name,
    features: SMALL_FEATURES,
    classes: SMALL_CLASSES,
    maxEventBytes,
    topics,
  })
  const specs = topicSpecs(topics, { partitions, replicationFactor: 1 })
  const owned = options.existing === true ? [] : specs
  await bench.admin.ensureTopics(owned)
  return {
    name,
    topics,
    registry,
    codecs,
    score: async (client, overrides = {}) => {
      const {
        currentModel = () => ({ version: '1', scorer: smallScorer, manifest: { categories: [[], []] } }),
        limits,
        ...rest
      } = overrides
      return bench.track(
        await runTopology({
          client,
          topology: scoring({ topics, features: SMALL_FEATURES, currentModel, now: Date.now }),
          group: `${name}.score`,
          reader: codecs.eventRows(),
          writer: codecs.predictionRows(topics.predictions.name),
          deadLetterTopic: topics.deadLetters.name,
          limits: {
            batchMaxRecords: 100,
            batchGoalMs: 200,
            sessionTimeoutMs: 6000,
            transactionTimeoutMs: 4000,
            ...limits,
          },
          now: Date.now,
          summarise: (_rows, scored) => summariseRows(scored),
          ...rest,
        }),
      )
    },
    close: async () => {
      await deleteTopics(owned.map((spec) => spec.name))
      await folder?.remove()
    },
  }
}
