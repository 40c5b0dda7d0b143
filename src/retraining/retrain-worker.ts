import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq'

import { AppError, describeError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { TrainingAborted } from '../training/training-errors.ts'
import { evictionPolicyOf } from './eviction-policy.ts'
import { createProgressReporter } from './job-progress.ts'
import { errorLog, patientConnection, queuePrefix, redisPlace, retrainQueueName, within } from './queue-connection.ts'
import { readRetrainRequest } from './retrain-request.ts'
import { RedisEvicts, RetrainQueueUnavailable } from './retraining-errors.ts'
import type { ProcessRetrain, RetrainOutcome, RetrainRequest, RetrainWorker } from './retraining-types.ts'

type RetrainJob = Job<RetrainRequest, RetrainOutcome>

export type RetrainWorkerOptions = {
  redisUrl: string
  task: string
  /** Does one job. It must leave the event loop free, or the job's lock is not renewed and another worker takes the job. */
  process: ProcessRetrain
  /** How long after its request a job that is not ready is tried again. */
  labelWaitMs: number
  /** How long to wait between two tries. */
  pollMs: number
  now: () => number
  /** Told when a job is done. */
  onOutcome: (done: { jobId: string; request: RetrainRequest; outcome: RetrainOutcome; seconds: number }) => void
  /** Told of each failed attempt. */
  onFailed: (failed: { jobId: string; attempt: number; willRetry: boolean; error: Error; seconds: number }) => void
  logger: Logger
  /** A worker that is silent for so long has lost its job. */
  lockDurationMs?: number
  connectTimeoutMs?: number
}

/** So often a job may lose its worker before it counts as one that kills its workers. */
const maxLostWorkers = 3

const secondsOf = (job: RetrainJob, now: number): number => Math.max(0, now - (job.processedOn ?? now)) / 1000

/** The working side of the queue of one task: one job at a time. */
export const createRetrainWorker = (options: RetrainWorkerOptions): RetrainWorker => {
  const { redisUrl, task, logger, now, lockDurationMs = 30_000, connectTimeoutMs = 10_000 } = options
  let worker: Worker<RetrainRequest, RetrainOutcome> | null = null
  let current: { jobId: string; done: Promise<void> } | null = null
  let releasing = false

  const work = async (job: RetrainJob, token: string, signal: AbortSignal): Promise<RetrainOutcome> => {
    const request = readRetrainRequest(job.data)
    const progress = createProgressReporter((value) => job.updateProgress(value))
    const result = await options.process(request, { jobId: job.id ?? '', signal, progress })
    if (result.status !== 'not_ready') return result

    const until = request.requestedAt + options.labelWaitMs
    if (now() < until) {
      logger.debug({ jobId: job.id, labels: result.labels, needed: result.needed }, 'waiting for labels')
      await job.moveToDelayed(Math.min(now() + options.pollMs, until), token)
      throw new DelayedError()
    }
    const waited = `${result.reason}; waited ${options.labelWaitMs / 1000} s for more`
    return { status: 'insufficient_labels', labels: result.labels, needed: result.needed, reason: waited }
  }

  /** Turns what went wrong into what BullMQ is to do with the job. */
  const attempt = async (job: RetrainJob, token: string, signal: AbortSignal): Promise<RetrainOutcome> => {
    try {
      return await work(job, token, signal)
    } catch (error) {
      if (error instanceof DelayedError) throw error
      if (releasing && signal.aborted) {
        await job.moveToWait(token)
        throw new WaitingError()
      }
      if (error instanceof AppError && !error.retryable) {
        // The same job on the same rows would fail in the same way.
        const final = new UnrecoverableError(`${error.code}: ${describeError(error)}`)
        final.cause = error
        throw final
      }
      throw error
    }
  }

  // Three parameters: BullMQ passes the signal only to a function that declares it.
  const processor = async (job: RetrainJob, token?: string, signal?: AbortSignal): Promise<RetrainOutcome> => {
    const running = attempt(job, token ?? '', signal ?? new AbortController().signal)
    const own = { jobId: job.id ?? '', done: running.then(() => undefined).catch(() => undefined) }
    current = own
    try {
      return await running
    } finally {
      if (current === own) current = null
    }
  }

  const open = (): Worker<RetrainRequest, RetrainOutcome> => {
    const opened = new Worker<RetrainRequest, RetrainOutcome>(retrainQueueName(task), processor, {
      connection: patientConnection(redisUrl),
      prefix: queuePrefix,
      autorun: false,
      concurrency: 1,
      lockDuration: lockDurationMs,
      stalledInterval: lockDurationMs,
      maxStalledCount: maxLostWorkers,
      // The default of 15 s would be added to every short loss of the connection.
      runRetryDelay: 1000,
    })
    opened.on('error', errorLog(logger, 'the retraining worker met an error'))
    opened.on('stalled', (jobId) => logger.warn({ jobId }, 'a retraining job lost its worker and is queued again'))
    opened.on('lockRenewalFailed', (jobIds) => {
      // Somebody else may have it by now: what this process still does for it is wasted.
      for (const jobId of jobIds) opened.cancelJob(jobId, 'the lock of the job was lost')
    })
    opened.on('completed', (job, outcome) => {
      options.onOutcome({ jobId: job.id ?? '', request: job.data, outcome, seconds: secondsOf(job, now()) })
    })
    opened.on('failed', (job, error) => {
      if (job === undefined) return
      const willRetry = job.finishedOn === undefined
      const made = job.attemptsMade
      options.onFailed({ jobId: job.id ?? '', attempt: made, willRetry, error, seconds: secondsOf(job, now()) })
    })
    return opened
  }

  const checkEviction = async (opened: Worker<RetrainRequest, RetrainOutcome>): Promise<void> => {
    const policy = evictionPolicyOf(await (await opened.getBackend().client).info())
    if (policy === null) {
      logger.warn('Redis does not tell its maxmemory-policy; make sure that it is noeviction, or jobs may vanish')
    } else if (policy !== 'noeviction') {
      throw new RedisEvicts(policy)
    }
  }

  const cutOff = async (opened: Worker<RetrainRequest, RetrainOutcome>): Promise<void> => {
    await within(opened.close(true), 1000, () => new Error('late')).catch(() => undefined)
    await within(opened.disconnect(), 1000, () => new Error('late')).catch(() => undefined)
  }

  return {
    start: async () => {
      const opened = open()
      try {
        const late = (): Error =>
          new RetrainQueueUnavailable(
            `the retraining worker found no Redis at ${redisPlace(redisUrl)} within ${connectTimeoutMs} ms; check that it runs`,
          )
        await within(
          opened.waitUntilReady().then(() => checkEviction(opened)),
          connectTimeoutMs,
          late,
        )
      } catch (error) {
        await cutOff(opened)
        throw error
      }
      worker = opened
      opened.run().catch((error: unknown) => logger.error(`the retraining worker ended: ${describeError(error)}`))
    },
    close: async ({ deadlineMs = 10_000 } = {}) => {
      const opened = worker
      worker = null
      if (opened === null) return
      const late = (): Error => new TrainingAborted(`the retraining worker was to close within ${deadlineMs} ms`)
      await opened.pause(true)
      if (current !== null) {
        const { jobId, done } = current
        await within(done, deadlineMs, late).catch(() => {
          logger.info({ jobId }, 'the deadline has passed: the retraining job goes back to the queue')
          releasing = true
          opened.cancelJob(jobId, 'the worker closes')
        })
      }
      await within(opened.close(), 5000, late).catch(() => cutOff(opened))
    },
  }
}
