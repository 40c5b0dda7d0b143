import { randomUUID } from 'node:crypto'
import { createIngress } from '../../api/ingress.ts'
import { openSqliteHistoryReader } from '../../history/sqlite-history-reader.ts'
import { createBatchedSender } from '../../kafka/batched-sender.ts'
import type { KeyedRecord } from '../../kafka/kafka-types.ts'
import { createRetrainQueue } from '../../retraining/retrain-queue.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createApiMetrics } from '../../telemetry/metrics.ts'
import { predictionIdHeader, requestPredictionIdOf } from '../../topology.ts'
import { packageVersion } from '../software.ts'
import { openKafka } from './kafka-parts.ts'
import { createModelNames } from './model-names.ts'
import { followProduction, openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { httpPart, rolePlace, startRole } from './role-frame.ts'

/** Answers HTTP requests with the model that the workers hold, and publishes what it answered. */
export const startIngressRole: StartRole = async (config) => {
  const { task, servers, paths } = config
  const logger = createLogger({ name: 'ingress', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createApiMetrics(task.task)
  const kafka = await openKafka(config, 'ingress', logger)
  const producer = await kafka.client.producer()
  // Concurrent requests share a produce call; a lone one does not wait for company.
  const sender = createBatchedSender<KeyedRecord>({
    send: producer.send,
    lingerMs: 0,
    maxRecords: 2000,
    maxQueuedRecords: 20_000,
  })
  const parts = openRegistry(config, logger)
  const model = followProduction({ config, role: 'ingress', parts, metrics: metrics.model, logger })
  const history = openSqliteHistoryReader({ file: paths.history })
  const queue = createRetrainQueue({ redisUrl: servers.redisUrl, task: task.task, logger })

  const http = httpPart(
    createIngress({
      task,
      version: packageVersion(),
      currentModel: model.current,
      refreshModel: model.refresh,
      publish: (prediction, key) =>
        sender.send([
          {
            topic: kafka.topics.predictions.name,
            key: Buffer.from(key),
            value: kafka.codecs.predictions.encode(prediction),
            headers: { [predictionIdHeader]: requestPredictionIdOf(prediction.event_id) },
          },
        ]),
      history,
      namesOf: createModelNames(parts.store),
      probes: {
        kafka: () => kafka.admin.ping(),
        redis: async () => {
          await parts.signal.readEpoch()
        },
        registry: kafka.schemas.ping,
        models: async () => {
          await parts.store.readAliases()
        },
      },
      queueBoard: { queue: queue.queue },
      metrics,
      logger,
      now: Date.now,
      newId: randomUUID,
    }),
    rolePlace(config, 'ingress'),
  )
  return startRole({
    url: http.url,
    done: () => new Promise(() => undefined),
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'producer', stop: () => producer.close() },
      { name: 'signal', stop: () => parts.signal.close() },
      { name: 'history', stop: () => history.close() },
      { name: 'queue', stop: () => queue.close() },
      { name: 'sender', stop: () => sender.close() },
      { name: 'model', start: () => model.start(), stop: () => model.stop() },
      http.part,
    ],
  })
}
