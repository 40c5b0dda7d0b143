import { scoring } from '../../../streams/scoring.ts'
import { createRoleServer } from '../../api/role-server.ts'
import { openDeadLetterTopic } from '../../kafka/dead-letter-topic.ts'
import { type RunDeadLetter, runTopology } from '../../kafka/topology-runner.ts'
import { summariseRows } from '../../models/summarise-rows.ts'
import { numberClass } from '../../telemetry/catalogue.ts'
import { createDeadLetterLog } from '../../telemetry/dead-letter-log.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { createSwapTimer } from '../../telemetry/swap-timer.ts'
import { openKafka } from './kafka-parts.ts'
import { followProduction, openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { consumerPart, httpPart, lagMeter, rolePlace, startRole } from './role-frame.ts'
import { trimHeap } from './trim-heap.ts'

const countCodes = (letters: readonly RunDeadLetter[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { reason } of letters) counts.set(reason.code, (counts.get(reason.code) ?? 0) + 1)
  return counts
}

/** Scores feature events and publishes predictions, exactly once. */
export const startScoreRole: StartRole = async (config) => {
  const { task } = config
  const logger = createLogger({ name: 'score', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'score')
  const kafka = await openKafka(config, 'score', logger)
  const parts = openRegistry(config, logger)
  const swaps = createSwapTimer(metrics.scoring.swapped, () => performance.now())
  const model = followProduction({
    ...{ config, role: 'score', parts, metrics: metrics.model, logger },
    onSwap: ({ version, loadMs }) => swaps.swapped({ version, agoMs: loadMs }),
  })

  await openDeadLetterTopic(kafka.admin, kafka.topics.deadLetters.name, logger.warn.bind(logger))
  const log = createDeadLetterLog(logger, () => performance.now())

  const group = `${task.task}.score`
  const telemetry = metrics.consumer.of(group)
  const consumer = consumerPart(() =>
    runTopology({
      client: kafka.client,
      topology: scoring({
        topics: kafka.topics,
        features: task.features,
        currentModel: model.current,
        now: Date.now,
      }),
      group,
      reader: kafka.codecs.eventRows(),
      writer: kafka.codecs.predictionRows(kafka.topics.predictions.name),
      deadLetterTopic: kafka.topics.deadLetters.name,
      limits: task.stream,
      now: Date.now,
      summarise: (_rows, scored) => summariseRows(scored),
      observer: {
        ...telemetry,
        fetched: (fetch) => {
          telemetry.fetched(fetch)
          metrics.scoring.stage('fetch', fetch.ms / 1000)
        },
      },
      onProcessed: ({ decodeMs, scoreMs, encodeMs }) => {
        metrics.scoring.stage('decode', decodeMs / 1000)
        metrics.scoring.stage('score', scoreMs / 1000)
        metrics.scoring.stage('encode', encodeMs / 1000)
      },
      onCommitted: ({ partition, summary, deadLetters, oldestTimestamp, commitMs }) => {
        const committedAt = Date.now()
        metrics.scoring.stage('commit', commitMs / 1000)
        // One observation a batch, of its oldest record: the worst that anybody waited, at the cost of one.
        metrics.scoring.eventLatency((committedAt - oldestTimestamp) / 1000)
        if (summary !== null && summary.predictions > 0) {
          const { modelVersion, kind, byClass, predictions, unknownCategories, oldestEventTime } = summary
          metrics.scoring.scored({
            modelVersion,
            byClass: kind === 'classification' ? byClass : new Map([[numberClass, predictions]]),
          })
          metrics.scoring.unknownCategories(unknownCategories)
          metrics.scoring.eventTimeLatency((committedAt - oldestEventTime) / 1000)
          metrics.consumer.sent(kafka.topics.predictions.name, predictions)
          swaps.committed({ version: modelVersion, eventAgeMs: committedAt - oldestTimestamp })
        }
        if (deadLetters.length > 0) metrics.consumer.sent(kafka.topics.deadLetters.name, deadLetters.length)
        for (const [code, count] of countCodes(deadLetters)) metrics.scoring.deadLettered(code, count)
        log.tell(deadLetters, {
          codeOf: ({ reason }) => reason.code,
          describe: ({ offset, reason: { code, message, schemaId } }) => ({
            ...{ code, message, schemaId },
            ...{ topic: kafka.topics.features.name, partition, offset: String(offset) },
          }),
        })
      },
    }),
  )

  const http = httpPart(
    createRoleServer({
      role: 'score',
      metrics,
      logger,
      health: async () => {
        const active = model.current()
        return {
          ok: active !== null,
          details: { model_version: active?.version ?? null, epoch: active?.epoch ?? null },
        }
      },
    }),
    rolePlace(config, 'score'),
  )
  return startRole({
    url: http.url,
    done: consumer.done,
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'signal', stop: () => parts.signal.close() },
      { name: 'model', start: () => model.start(), stop: () => model.stop() },
      consumer.part,
      lagMeter({ admin: kafka.admin, group, topics: [kafka.topics.features.name], metrics: metrics.lag, logger }),
      http.part,
      { name: 'heap', start: trimHeap },
    ],
  })
}
