import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRoleServer } from '../../api/role-server.ts'
import { retrain } from '../../retraining/retrain.ts'
import { createRetrainQueue } from '../../retraining/retrain-queue.ts'
import { createRetrainWorker } from '../../retraining/retrain-worker.ts'
import { rowsInThread } from '../../retraining/rows-thread.ts'
import { createLogger } from '../../telemetry/log.ts'
import { createStreamMetrics } from '../../telemetry/metrics.ts'
import { trainInThread } from '../../training/train-thread.ts'
import { modelEventPublisher } from '../model-events.ts'
import { softwareVersions } from '../software.ts'
import { stopDeadlines } from '../stop-deadlines.ts'
import { openKafka } from './kafka-parts.ts'
import { openRegistry } from './registry-parts.ts'
import type { StartRole } from './role.ts'
import { httpPart, repeating, rolePlace, startRole } from './role-frame.ts'

const queueMeterMs = 1000

/** The program of the threads that work on labelled rows: TypeScript in a checkout, JavaScript once built. */
const rowsEntry = new URL(`./retraining-rows-entry${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

/** Takes `retrain` jobs: trains, compares with production, promotes. */
export const startRetrainRole: StartRole = async (config) => {
  const { task, servers } = config
  const logger = createLogger({ name: 'retrain', level: config.logLevel, instanceId: config.instanceId })
  const metrics = createStreamMetrics(task.task, 'retrain')
  const kafka = await openKafka(config, 'retrain', logger)
  const producer = await kafka.client.producer()
  const { registry, signal } = openRegistry(config, logger)
  const queue = createRetrainQueue({ redisUrl: servers.redisUrl, task: task.task, logger })

  const worker = createRetrainWorker({
    redisUrl: servers.redisUrl,
    task: task.task,
    labelWaitMs: task.retraining.labelWaitMs,
    pollMs: task.retraining.pollMs,
    now: Date.now,
    logger,
    process: async (request, context) => {
      const rows = rowsInThread({ entry: rowsEntry, workerData: config, signal: context.signal })
      const deps = {
        ...{ task, registry, rows, logger },
        train: trainInThread,
        publish: modelEventPublisher(kafka, producer),
        now: Date.now,
        software: softwareVersions(),
      }
      return retrain(deps, request, context).finally(rows.close)
    },
    onOutcome: ({ jobId, outcome, seconds }) => {
      metrics.retraining.jobFinished(outcome.status, seconds)
      logger.info({ jobId, outcome }, `retraining job ${jobId} ended: ${outcome.status}`)
    },
    onFailed: ({ jobId, error, attempt, willRetry, seconds }) => {
      metrics.retraining.jobFinished('failed', seconds)
      logger.error({ jobId, attempt, willRetry, err: error }, `retraining job ${jobId} failed: ${error.message}`)
    },
  })

  const http = httpPart(
    createRoleServer({
      role: 'retrain',
      metrics,
      logger,
      health: async () => ({ ok: true, details: { jobs: await queue.counts() } }),
    }),
    rolePlace(config, 'retrain'),
  )
  return startRole({
    url: http.url,
    // The worker takes jobs until it is told to stop; a Redis that goes away is waited for.
    done: () => new Promise(() => undefined),
    parts: [
      { name: 'kafka', stop: () => kafka.admin.close() },
      { name: 'producer', stop: () => producer.close() },
      { name: 'signal', stop: () => signal.close() },
      { name: 'queue', stop: () => queue.close() },
      repeating('counting the queue', queueMeterMs, logger, async () => {
        metrics.retraining.queueJobs(await queue.counts())
      }),
      { name: 'worker', start: () => worker.start(), stop: () => worker.close({ deadlineMs: stopDeadlines.partMs }) },
      http.part,
    ],
  })
}
