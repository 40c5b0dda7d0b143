import { join } from 'node:path'
import {
  createDriftMonitor,
  type MonitorResult,
  type PredictionRecord,
  readCheckpoint,
  versionsIn,
} from '../../../streams/drift-monitor.ts'
import { createRoleServer } from '../../api/role-server.ts'
import { AppError } from '../../errors.ts'
import type { DriftEvent } from '../../events.ts'
import { openDeadLetterTopic } from '../../kafka/dead-letter-topic.ts'
import type { RawRecord } from '../../kafka/kafka-types.ts'
import { createReaderDecoder } from '../../kafka/reader-decoder.ts'
import { createRetrainQueue } from '../../retraining/retrain-queue.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { createDriftReferences } from './drift-references.ts'
import { openKafka } from './kafka-parts.ts'
import { followProduction, openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { consumerPart, httpPart, lagMeter, rolePlace, startRole } from './role-frame.ts'
import { createCheckpointFile } from './watch-checkpoint.ts'

/** What each test's statistic is called. */
const effects: Readonly<Record<string, string>> = {
  ks: 'D',
  chi_square: 'share moved',
  missing_rate: 'missing by',
}

const describeAlarm = ({ features, model_version, consecutive_windows }: DriftEvent): string => {
  const drifted = features.filter((feature) => feature.drifted)
  const names = drifted.map(
    ({ feature, test, statistic }) => `${feature} (${effects[test] ?? test} ${statistic.toFixed(3)})`,
  )
  return `${names.join(', ')} drifted from the reference of version ${model_version} in ${consecutive_windows} windows in a row`
}

/** Compares windows of predictions with the reference of the model in production; raises alarms, asks for retraining. */
export const startWatchRole: StartRole = async (config) => {
  const { task, servers, paths } = config
  const logger = createLogger({ name: 'watch', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'watch')
  const kafka = await openKafka(config, 'watch', logger)
  const { topics, codecs } = kafka
  const producer = await kafka.client.producer()
  const parts = openRegistry(config, logger)
  const model = followProduction({ config, role: 'watch', parts, metrics: metrics.model, logger })
  const queue = createRetrainQueue({ redisUrl: servers.redisUrl, task: task.task, logger })
  const references = createDriftReferences(parts.store)

  const about = { task: task.task, thresholds: task.drift }
  const checkpoint = createCheckpointFile(join(paths.home, 'watch', `${task.task}.json`))
  const saved = await checkpoint.read()
  const restored = saved === null ? null : readCheckpoint(saved, about)
  if (restored?.status === 'refused') logger.warn(`the drift checkpoint is left behind: ${restored.reason}`)
  const monitor = createDriftMonitor({
    ...about,
    ...(restored?.status === 'restored' ? { restored: restored.restored } : {}),
  })
  const decode = createReaderDecoder({
    codec: codecs.predictions,
    producer,
    deadLetters: await openDeadLetterTopic(kafka.admin, topics.deadLetters.name, logger.warn.bind(logger)),
    now: Date.now,
  })

  /** The version whose predictions are watched: the one in production, read anew where predictions name another. */
  const watchedVersion = async (records: readonly PredictionRecord[]): Promise<string | null> => {
    const present = model.current()?.version
    const versions = versionsIn(records)
    if (versions.some((version) => version !== present)) {
      const refreshed = await model.refresh('predictions of another version')
      if (refreshed.status === 'rejected' && versions.includes(refreshed.version)) {
        throw new AppError(
          'MODEL_NOT_LOADED',
          `version ${refreshed.version} serves and could not be loaded here: ${refreshed.reason}; its predictions wait`,
          { retryable: true },
        )
      }
    }
    const watched = model.current()?.version ?? null
    if (watched !== null) await references.load(watched)
    return watched
  }

  const raise = async (event: DriftEvent): Promise<void> => {
    const reason = describeAlarm(event)
    // First what may fail for long and may be asked again: the event is then published once, not once a try.
    const { jobId, deduplicated } = await queue.request({
      trigger: 'drift',
      reason,
      requestedBy: 'watch',
      requestedAt: event.detected_at,
      sinceEventTime: event.onset_event_time,
      driftId: event.drift_id,
    })
    await producer.send([
      { topic: topics.drift.name, key: Buffer.from(event.drift_id), value: codecs.drift.encode(event) },
    ])
    metrics.drift.alarm()
    logger.warn({ driftId: event.drift_id, jobId, deduplicated }, `drift: ${reason}`)
  }

  const measure = ({ assessment }: MonitorResult): void => {
    metrics.drift.window(assessment.verdict)
    metrics.drift.features(
      assessment.features.map((feature) => ({
        feature: feature.feature,
        test: feature.test,
        statistic: feature.statistic,
        adjusted_p_value: feature.adjustedPValue,
      })),
    )
  }

  const handle = async (batch: readonly RawRecord[]): Promise<true | bigint> => {
    const decoded = await decode(batch)
    const records = decoded.map(({ record, value }) => ({
      partition: record.partition,
      offset: record.offset,
      prediction: value,
    }))
    const watched = await watchedVersion(records)
    const step = monitor.accept(records, {
      referenceFor: (version) => (version === watched ? references.get(version) : null),
      at: Date.now(),
    })
    for (const { event } of step.results) if (event !== null) await raise(event)
    if (step.results.length > 0) await checkpoint.write(step.checkpoint())
    monitor.keep(step)
    for (const result of step.results) measure(result)
    const partition = batch[0]?.partition
    return (partition === undefined ? null : monitor.safeOffset(partition)) ?? true
  }
  // Partitions are read side by side, and a window holds rows of all of them: one batch after another.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (batch: readonly RawRecord[]): Promise<true | bigint> => {
    const mine = turn.then(() => handle(batch))
    turn = mine.catch(() => undefined)
    return mine
  }

  const group = `${task.task}.watch`
  const consumer = consumerPart(() =>
    kafka.client.runAtLeastOnce({
      group,
      topics: [topics.predictions.name],
      sessionTimeoutMs: task.stream.sessionTimeoutMs,
      observer: metrics.consumer.of(group),
      process: inTurn,
    }),
  )
  const http = httpPart(
    createRoleServer({
      role: 'watch',
      metrics,
      logger,
      health: async () => ({ ok: true, details: { watched_version: model.current()?.version ?? null } }),
    }),
    rolePlace(config, 'watch'),
  )
  return startRole({
    url: http.url,
    done: consumer.done,
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'producer', stop: () => producer.close() },
      { name: 'signal', stop: () => parts.signal.close() },
      { name: 'queue', stop: () => queue.close() },
      { name: 'model', start: () => model.start(), stop: () => model.stop() },
      consumer.part,
      lagMeter({ admin: kafka.admin, group, topics: [topics.predictions.name], metrics: metrics.lag, logger }),
      http.part,
    ],
  })
}
