import { shadowScoring } from '../../../streams/shadow.ts'
import { createRoleServer } from '../../api/role-server.ts'
import { runTopology } from '../../kafka/topology-runner.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { openKafka } from './kafka-parts.ts'
import { registerPredictions } from './prediction-topic.ts'
import { followProduction, followShadows, openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { consumerPart, httpPart, lagMeter, rolePlace, startRole } from './role-frame.ts'
import { createShadowWriter, summariseShadows } from './shadow-writer.ts'
import { trimHeap } from './trim-heap.ts'

/**
 * Scores feature events with every shadow and compares with production. It has a group and a process of its own, so
 * that nothing of it reaches the role `score`. While there is no shadow the events wait.
 */
export const startShadowRole: StartRole = async (config) => {
  const { task } = config
  const logger = createLogger({ name: 'shadow', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'shadow')
  const kafka = await openKafka(config, 'shadow', logger)
  const { topics, codecs } = kafka
  await registerPredictions(kafka.schemas, topics.shadowPredictions.name)
  const parts = openRegistry(config, logger)
  const production = followProduction({ config, role: 'shadow', parts, metrics: metrics.model, logger })
  const shadows = followShadows({ config, parts, metrics: metrics.shadow, logger })

  const group = `${task.task}.shadow`
  // Events that wait while there is no shadow wait for nobody: that is no lag to be alarmed of.
  const consumerLag: typeof kafka.admin.consumerLag = async (...about) => {
    const lag = await kafka.admin.consumerLag(...about)
    return shadows.current().length > 0 ? lag : new Map([...lag.keys()].map((partition) => [partition, 0n]))
  }
  const consumer = consumerPart(() =>
    runTopology({
      client: kafka.client,
      topology: shadowScoring({
        ...{ topics, features: task.features, now: Date.now },
        production: production.current,
        shadows: shadows.current,
      }),
      group,
      reader: codecs.eventRows(),
      writer: createShadowWriter(codecs.predictionRows(topics.shadowPredictions.name)),
      // The role `score` writes the dead letters of these events.
      deadLetterTopic: null,
      limits: task.stream,
      now: Date.now,
      summarise: summariseShadows,
      observer: metrics.consumer.of(group),
      onCommitted: ({ summary, deadLetters, outputs }) => {
        metrics.consumer.sent(topics.shadowPredictions.name, outputs)
        for (const { reason } of deadLetters) metrics.shadow.unread(reason.code)
        for (const { against, ...counts } of summary ?? []) {
          metrics.shadow.scored(counts)
          if (against === null) continue
          const { modelVersion } = counts
          metrics.shadow.compared({ modelVersion, productionVersion: against.production, ...against.comparison })
        }
      },
    }),
  )

  const http = httpPart(
    createRoleServer({
      role: 'shadow',
      metrics,
      logger,
      health: async () => ({
        ok: true,
        details: {
          production_version: production.current()?.version ?? null,
          shadows: shadows.current().map(({ version }) => version),
          refused: shadows.refused().map(({ version, code }) => ({ version, code })),
        },
      }),
    }),
    rolePlace(config, 'shadow'),
  )
  return startRole({
    url: http.url,
    done: consumer.done,
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'signal', stop: () => parts.signal.close() },
      { name: 'production', start: () => production.start(), stop: () => production.stop() },
      { name: 'shadows', start: () => shadows.start(), stop: () => shadows.stop() },
      consumer.part,
      lagMeter({
        admin: { ...kafka.admin, consumerLag },
        group,
        topics: [topics.features.name],
        metrics: metrics.lag,
        logger,
      }),
      http.part,
      { name: 'heap', start: trimHeap },
    ],
  })
}
