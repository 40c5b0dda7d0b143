import { readCommitted } from '../../../dev/stack/console-consumer.ts'
import type { Config } from '../../config/config.ts'
import type { StoryConfig } from '../../config/task-schema.ts'
import { createRandom } from '../../features/random.ts'
import { openSqliteHistoryReader } from '../../history/sqlite-history-reader.ts'
import type { AliasState } from '../../registry/registry-types.ts'
import type { Logger } from '../../telemetry/log.ts'
import { readTaskDataset } from '../dataset.ts'
import { openKafka } from '../roles/kafka-parts.ts'
import { openRegistry } from '../roles/registry-parts.ts'
import { untilAborted } from '../until-aborted.ts'
import { playStory, type StoryProgress } from './play.ts'
import { readOutcomes, waitUntilRead } from './story-outcomes.ts'
import { figuresByPhase, type StoryResult, storyMetricOf } from './story-result.ts'
import { createStorySource, type StoryRow } from './story-source.ts'
import { startStoryWatcher } from './story-watcher.ts'
import { createStoryWorld } from './story-world.ts'
import { tallyOutputs } from './tally.ts'

/** The dataset's rows as the story draws them. */
const storyRows = async (config: Config): Promise<StoryRow[]> => {
  const dataset = await readTaskDataset(config)
  const { rows, features, featureNames, categories } = dataset
  const labelOf = (row: number): string =>
    dataset.kind === 'classification'
      ? (dataset.classNames[dataset.labels[row] ?? 0] ?? '')
      : String(dataset.targets[row])
  return Array.from({ length: rows }, (_, row) => ({
    values: Object.fromEntries(
      featureNames.map((name, index) => {
        const value = features[row * featureNames.length + index] ?? Number.NaN
        return [name, Number.isNaN(value) ? null : (categories[index]?.[value] ?? value)]
      }),
    ),
    label: labelOf(row),
  }))
}

/** The ids that a committed reader finds as keys of a topic's records. */
const committedKeys = async (config: Config, topic: string, signal: AbortSignal): Promise<string[]> => {
  const keys: string[] = []
  const reading = readCommitted({
    brokers: config.servers.kafkaBrokers.join(','),
    topic,
    home: config.paths.home,
    timeoutMs: 60_000,
    onRecord: ({ key }) => {
      if (key !== null) keys.push(key)
    },
  })
  await untilAborted(reading, signal)
  return keys
}

/** The versions that production was moved to after an epoch, in order. */
const promotedSince = ({ history }: AliasState, epoch: number): string[] =>
  history.filter((change) => change.epoch > epoch && change.alias === 'production').map(({ version }) => version)

/**
 * Plays the task's story on the running roles and looks at what came of it from outside.
 * @param options.startedAt when the command began, ms since the epoch
 * @returns the result, and whether the story came to its end
 */
export const runStory = async (
  config: Config,
  plan: StoryConfig,
  options: {
    startedAt: number
    logger: Logger
    signal: AbortSignal
    onProgress: (progress: StoryProgress) => void
    onStage: (text: string) => void
  },
): Promise<{ result: StoryResult; finished: boolean }> => {
  const { logger, signal: abort } = options
  const runId = `story-${Date.now().toString(36)}`
  const kafka = await openKafka(config, 'story', logger)
  const producer = await kafka.client.producer()
  const { store, signal } = openRegistry(config, logger)
  const history = openSqliteHistoryReader({ file: config.paths.history })
  const before = await store.readAliases()
  const watcher = await startStoryWatcher({
    runId,
    kafka,
    store,
    signal,
    sinceEpoch: before.epoch,
    sessionTimeoutMs: config.task.stream.sessionTimeoutMs,
  })
  try {
    const random = createRandom(config.task.seed, 'story')
    const source = createStorySource({
      features: config.task.features,
      rows: await storyRows(config),
      jitterSd: plan.jitterSd,
      shift: plan.shift,
      random: random.next,
    })
    const world = createStoryWorld({
      kafka,
      producer,
      source,
      features: config.task.features,
      observe: watcher.observe,
      onProgress: options.onProgress,
    })
    const played = await playStory(plan, { runId, source, world, signal: abort })

    options.onStage('waiting until everything sent was scored and recorded')
    await waitUntilRead(kafka.admin, config.task.task, kafka.topics, abort)
    options.onStage("counting what came out, with Kafka's own console consumer")
    const predicted = await committedKeys(config, kafka.topics.predictions.name, abort)
    const deadLettered = await committedKeys(config, kafka.topics.deadLetters.name, abort)

    const { observation } = played
    const outcomes = await readOutcomes(history, { runId, since: played.startedAt, labelled: played.labelled })
    const baseVersion = before.aliases.production ?? ''
    const newVersion = observation.promotion?.version ?? null
    const result: StoryResult = {
      ...tallyOutputs(played.sentIds, predicted, deadLettered),
      drift_detected_at_event: observation.driftDetectedAt,
      drift_injected_at_event: plan.normalEvents + 1,
      retrain_job_id: observation.promotion?.jobId ?? null,
      versions: [baseVersion, ...promotedSince(await store.readAliases(), before.epoch)],
      swap_ms:
        observation.flippedAt === null || observation.promotion === null
          ? null
          : observation.flippedAt - observation.promotion.promotedAt,
      figures: figuresByPhase(storyMetricOf(config.task.target), outcomes, {
        injectedAt: plan.normalEvents + 1,
        baseVersion,
        newVersion,
      }),
      seconds: Math.round((Date.now() - options.startedAt) / 100) / 10,
    }
    return { result, finished: played.finished }
  } finally {
    await Promise.allSettled([watcher.stop(), producer.close(), kafka.admin.close(), signal.close(), history.close()])
  }
}
