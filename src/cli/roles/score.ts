import { scoring } from '../../../streams/scoring.ts'
import { createRoleServer } from '../../api/role-server.ts'
import type { FeatureSpec } from '../../features/feature-spec.ts'
import { runTopology } from '../../kafka/topology-runner.ts'
import { inModelOrder } from '../../models/predict.ts'
import { countUnknownCategories } from '../../models/unknown-categories.ts'
import type { ActiveModel } from '../../registry/registry-types.ts'
import { numberClass } from '../../telemetry/catalogue.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { openKafka } from './kafka-parts.ts'
import { followProduction, openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { consumerPart, httpPart, lagMeter, rolePlace, startRole } from './role-frame.ts'

/** So many models back a batch that is being committed may have been scored. */
const rememberedModels = 4

/** The features of the models that were asked for last, by version: a swap may land between a batch and its commit. */
const rememberInputs = (features: readonly FeatureSpec[]) => {
  const byVersion = new Map<string, readonly FeatureSpec[]>()
  return {
    take: (model: ActiveModel | null): ActiveModel | null => {
      if (model === null || byVersion.has(model.version)) return model
      byVersion.set(model.version, inModelOrder(features, model))
      const [oldest] = byVersion.keys()
      if (byVersion.size > rememberedModels && oldest !== undefined) byVersion.delete(oldest)
      return model
    },
    of: (version: string): readonly FeatureSpec[] => byVersion.get(version) ?? [],
  }
}

/** Scores feature events and publishes predictions, exactly once. */
export const startScoreRole: StartRole = async (config) => {
  const { task } = config
  const logger = createLogger({ name: 'score', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'score')
  const kafka = await openKafka(config, 'score', logger)
  const parts = openRegistry(config, logger)
  const model = followProduction({ config, role: 'score', parts, metrics: metrics.model, logger })

  const inputs = rememberInputs(task.features)

  const group = `${task.task}.score`
  const consumer = consumerPart(() =>
    runTopology({
      client: kafka.client,
      topology: scoring({
        topics: kafka.topics,
        features: task.features,
        currentModel: () => inputs.take(model.current()),
        now: Date.now,
      }),
      group,
      codecs: { input: kafka.codecs.features, output: kafka.codecs.predictions },
      deadLetterTopic: kafka.topics.deadLetters.name,
      limits: task.stream,
      now: Date.now,
      onProcessed: ({ records, processingMs }) =>
        metrics.scoring.batchProcessed({ records: records.length, seconds: processingMs / 1000 }),
      onCommitted: ({ records, outputs, deadLetters, processedAt, commitMs }) => {
        metrics.scoring.committed(commitMs / 1000)
        const first = outputs[0]
        if (first !== undefined) {
          const byClass = new Map<string, number>()
          for (const { prediction, value } of outputs) {
            const name = value === null ? prediction : numberClass
            byClass.set(name, (byClass.get(name) ?? 0) + 1)
          }
          // A batch is scored by one model.
          const { model_version: modelVersion } = first
          metrics.scoring.scored({ modelVersion, byClass })
          metrics.scoring.unknownCategories(countUnknownCategories(outputs, inputs.of(modelVersion)))
        }
        for (const { record, reason } of deadLetters) {
          metrics.scoring.deadLettered(reason.code)
          logger.warn(
            { ...reason, topic: record.topic, partition: record.partition, offset: String(record.offset) },
            'dead letter',
          )
        }
        // One observation a batch, of its oldest record: the worst that anybody waited, at the cost of one.
        const oldest = records[0]
        if (oldest !== undefined) metrics.scoring.eventLatency((processedAt - oldest.timestamp) / 1000)
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
    ],
  })
}
