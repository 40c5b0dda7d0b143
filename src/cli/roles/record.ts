import { recording } from '../../../streams/recording.ts'
import { createRoleServer } from '../../api/role-server.ts'
import type { Label } from '../../events.ts'
import { createSqliteHistory } from '../../history/sqlite-history.ts'
import { openDeadLetterTopic } from '../../kafka/dead-letter-topic.ts'
import { type DeadLetterReason, deadLetterOf } from '../../kafka/dead-letters.ts'
import type { RawRecord } from '../../kafka/kafka-types.ts'
import { createReaderDecoder } from '../../kafka/reader-decoder.ts'
import { createDeadLetterLog } from '../../telemetry/dead-letter-log.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { openKafka } from './kafka-parts.ts'
import type { StartRole } from './role.ts'
import { consumerPart, httpPart, lagMeter, repeating, rolePlace, startRole } from './role-frame.ts'

const liveFiguresEveryMs = 2000

/** Writes predictions and labels to the history database; what it cannot read goes to the dead letters. */
export const startRecordRole: StartRole = async (config) => {
  const { task, paths } = config
  const logger = createLogger({ name: 'record', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'record')
  const kafka = await openKafka(config, 'record', logger)
  const { topics } = kafka
  const producer = await kafka.client.producer()
  const history = createSqliteHistory({ file: paths.history })
  const steps = recording({ task: task.task, target: task.target })
  const deadLetters = await openDeadLetterTopic(kafka.admin, topics.deadLetters.name, logger.warn.bind(logger))
  const log = createDeadLetterLog(logger, () => performance.now())
  const onDeadLetters = (letters: readonly { record: RawRecord; reason: DeadLetterReason }[]): void => {
    metrics.recording.recorded('dead_letter', letters.length)
    log.tell(letters, {
      codeOf: ({ reason }) => reason.code,
      describe: ({ record: { topic, partition, offset }, reason: { code, message } }) => ({
        ...{ code, message, topic, partition, offset: String(offset) },
      }),
    })
  }
  const decoding = { deadLetters, producer, now: Date.now, onDeadLetters }
  const decodePredictions = createReaderDecoder({ ...decoding, codec: kafka.codecs.predictions })
  const decodeLabels = createReaderDecoder({ ...decoding, codec: kafka.codecs.labels })

  const recordPredictions = async (records: readonly RawRecord[]): Promise<void> => {
    const decoded = await decodePredictions(records)
    const rows = steps.predictionRows(
      decoded.map(({ source, value, record }) => ({ source, value, headers: record.headers })),
    )
    await history.recordPredictions(rows)
    metrics.recording.recorded('prediction', rows.length)
  }

  const recordLabels = async (records: readonly RawRecord[]): Promise<void> => {
    const decoded = await decodeLabels(records)
    const rows: Label[] = []
    const refused = steps.labelOutcomes(decoded).flatMap((outcome, index) => {
      const record = decoded[index]?.record
      if (outcome.kind === 'row') rows.push(outcome.row)
      return outcome.kind === 'row' || record === undefined ? [] : [{ record, reason: outcome }]
    })
    if (refused.length > 0) {
      const target = { ...deadLetters, failedAt: Date.now() }
      await producer.send(refused.map(({ record, reason }) => deadLetterOf(record, reason, target)))
      onDeadLetters(refused)
    }
    await history.recordLabels(rows)
    metrics.recording.recorded('label', rows.length)
  }

  const group = `${task.task}.record`
  const consumer = consumerPart(() =>
    kafka.client.runAtLeastOnce({
      group,
      topics: [topics.predictions.name, topics.labels.name],
      sessionTimeoutMs: task.stream.sessionTimeoutMs,
      observer: metrics.consumer.of(group),
      process: async (records) => {
        const record = records[0]?.topic === topics.labels.name ? recordLabels : recordPredictions
        await record(records)
        return true
      },
    }),
  )
  const http = httpPart(
    createRoleServer({
      role: 'record',
      metrics,
      logger,
      health: async () => ({ ok: true, details: await history.counts() }),
    }),
    rolePlace(config, 'record'),
  )
  return startRole({
    url: http.url,
    done: consumer.done,
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'producer', stop: () => producer.close() },
      { name: 'history', stop: () => history.close() },
      consumer.part,
      lagMeter({
        admin: kafka.admin,
        group,
        topics: [topics.predictions.name, topics.labels.name],
        metrics: metrics.lag,
        logger,
      }),
      repeating('measuring the live figures', liveFiguresEveryMs, logger, async () => {
        log.settle()
        const window = task.accuracy.windowEvents
        if (task.target.type === 'regression') {
          metrics.recording.liveErrors((await history.liveErrors({ window })).by_version)
        } else metrics.recording.liveAccuracy((await history.liveAccuracy({ window })).by_version)
      }),
      http.part,
    ],
  })
}
