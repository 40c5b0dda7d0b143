import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { AppError } from '../../src/errors.ts'
import type { NotReady, RetrainContext, RetrainRequest } from '../../src/retraining/retraining-types.ts'
import { trainInThread } from '../../src/training/train-thread.ts'
import { eventually } from '../support/eventually.ts'
import { gate, queueWorld, rejected } from '../support/retrain-queue-world.ts'
import { request } from '../support/retrain-world.ts'
import { clouds } from '../support/training-rows.ts'

const fresh = (changes: Partial<RetrainRequest> = {}): RetrainRequest =>
  request({ requestedAt: Date.now(), ...changes })

describe('the retraining queue', () => {
  let world: ReturnType<typeof queueWorld>
  beforeEach(() => {
    world = queueWorld()
  })
  afterEach(() => world.close())

  const jobsLeft = async (): Promise<number> => {
    const { waiting = 0, active = 0, delayed = 0 } = await world.queue.counts()
    return waiting + active + delayed
  }

  it('makes one job of several requests that come before it runs', async () => {
    const first = await world.queue.request(fresh())
    const more = [await world.queue.request(fresh()), await world.queue.request(fresh())]
    expect(first.deduplicated).toBe(false)
    expect(more).toEqual([
      { jobId: first.jobId, deduplicated: true },
      { jobId: first.jobId, deduplicated: true },
    ])
    expect(await world.queue.counts()).toMatchObject({ waiting: 1 })
    await world.work(async () => rejected())
    await eventually(() => expect(world.outcomes).toEqual([{ jobId: first.jobId, outcome: rejected() }]))
    expect(await jobsLeft()).toBe(0)
  })

  it('makes one more job, with the last request, of several that come while one runs', async () => {
    const reasons: string[] = []
    const first = gate()
    await world.work(async ({ reason }) => {
      reasons.push(reason)
      if (reason === 'first') await first.opened
      return rejected(reason)
    })
    await world.queue.request(fresh({ reason: 'first' }))
    await eventually(() => expect(reasons).toEqual(['first']))
    for (const reason of ['second', 'third', 'fourth']) {
      expect(await world.queue.request(fresh({ reason }))).toMatchObject({ deduplicated: true })
    }
    first.open()
    await eventually(async () => {
      expect(world.outcomes).toHaveLength(2)
      expect(await jobsLeft()).toBe(0)
    })
    expect(reasons).toEqual(['first', 'fourth'])
  })

  it('takes a new request once the job is done, although the old one is kept', async () => {
    await world.work(async () => rejected())
    for (let n = 1; n <= 2; n += 1) {
      expect(await world.queue.request(fresh())).toMatchObject({ deduplicated: false })
      await eventually(() => expect(world.outcomes).toHaveLength(n))
    }
    expect(await world.queue.counts()).toMatchObject({ completed: 2 })
  })

  it('lets a job that is not ready wait without a worker, and still takes no second one', async () => {
    let tries = 0
    const notReady: NotReady = { status: 'not_ready', labels: 1, needed: 2, reason: '1 of 2 labelled events' }
    await world.work(
      async () => {
        tries += 1
        return tries < 4 ? notReady : rejected()
      },
      { labelWaitMs: 60_000, pollMs: 150 },
    )
    const { jobId } = await world.queue.request(fresh())
    await eventually(async () => expect(await world.queue.counts()).toMatchObject({ active: 0, delayed: 1 }), {
      everyMs: 5,
    })
    expect(await world.queue.request(fresh())).toEqual({ jobId, deduplicated: true })
    await eventually(() => expect(world.outcomes).toEqual([{ jobId, outcome: rejected() }]))
    expect([tries, world.failures, await jobsLeft()]).toEqual([4, [], 0])
    // Waiting is no failed attempt: three more are left for real failures.
    expect((await world.queue.queue.getJob(jobId))?.attemptsMade).toBe(1)
  })

  it('ends a job that never becomes ready with that outcome', async () => {
    await world.work(async () => ({ status: 'not_ready', labels: 7, needed: 9, reason: '7 of 9 labelled events' }), {
      labelWaitMs: 400,
      pollMs: 100,
    })
    await world.queue.request(fresh())
    await eventually(() => expect(world.outcomes).toHaveLength(1))
    expect(world.outcomes[0]?.outcome).toEqual({
      status: 'insufficient_labels',
      labels: 7,
      needed: 9,
      reason: '7 of 9 labelled events; waited 0.4 s for more',
    })
  })

  it('keeps the error of a failed job visible and takes requests again', async () => {
    let fail = true
    await world.work(async () => {
      if (fail) throw new AppError('ARTEFACT_CORRUPT', 'version 7: the digest differs')
      return rejected()
    })
    const { jobId } = await world.queue.request(fresh())
    await eventually(() => expect(world.failures).toHaveLength(1))
    expect(world.failures[0]).toMatchObject({ jobId, attempt: 1, willRetry: false })
    const job = await world.queue.queue.getJob(jobId)
    expect(await job?.getState()).toBe('failed')
    expect(job?.failedReason).toBe('ARTEFACT_CORRUPT: version 7: the digest differs')
    fail = false
    expect(await world.queue.request(fresh())).toMatchObject({ deduplicated: false })
    await eventually(() => expect(world.outcomes).toHaveLength(1))
  })

  it('tries a job again after an error that may pass, and takes no second one meanwhile', async () => {
    let tries = 0
    await world.work(async () => {
      tries += 1
      if (tries === 1) throw new AppError('KAFKA_DOWN', 'no broker', { retryable: true })
      return rejected()
    })
    const { jobId } = await world.queue.request(fresh())
    await eventually(() => expect(world.failures).toMatchObject([{ jobId, attempt: 1, willRetry: true }]))
    expect(await world.queue.request(fresh())).toEqual({ jobId, deduplicated: true })
    await eventually(() => expect(world.outcomes).toMatchObject([{ jobId }]))
  })

  it('fails what is no request at once', async () => {
    await world.work(async () => rejected())
    await world.queue.queue.add('retrain', { trigger: 'whim' } as never)
    await eventually(() =>
      expect(world.failures).toMatchObject([{ willRetry: false, message: expect.stringContaining('whim') }]),
    )
  })

  it('shows how far a job is', async () => {
    const seen = gate()
    await world.work(async (_, { progress }) => {
      progress({ percent: 40, stage: 'training forest' })
      await seen.opened
      return rejected()
    })
    const { jobId } = await world.queue.request(fresh())
    await eventually(async () => {
      expect((await world.queue.queue.getJob(jobId))?.progress).toEqual({ percent: 40, stage: 'training forest' })
    })
    seen.open()
    await eventually(() => expect(world.outcomes).toHaveLength(1))
  })

  it('keeps its job although the training blocks its thread for several lock durations', async () => {
    const entry = new URL('../support/programs/train-stub.ts', import.meta.url)
    let runs = 0
    const blocking = async (_: RetrainRequest, { signal }: RetrainContext): Promise<ReturnType<typeof rejected>> => {
      runs += 1
      const base = clouds({ rowsPerClass: 2, classes: 2, columns: 1, distance: 1, seed: 1 })
      await trainInThread({ reason: 'block 3000', base } as never, { entry, signal })
      return rejected()
    }
    // Either worker would take the job as soon as its lock runs out.
    await world.work(blocking, { lockDurationMs: 600 })
    await world.work(blocking, { lockDurationMs: 600 })
    await world.queue.request(fresh())
    await eventually(() => expect(world.outcomes).toHaveLength(1))
    expect([runs, world.failures]).toEqual([1, []])
  })

  it('runs one job at a time', async () => {
    const running = gate()
    let most = 0
    let now = 0
    await world.work(async () => {
      now += 1
      most = Math.max(most, now)
      await running.opened
      now -= 1
      return rejected()
    })
    // Without deduplication, so that two jobs wait at once.
    for (let n = 0; n < 2; n += 1) await world.queue.queue.add('retrain', fresh())
    await eventually(() => expect(now).toBe(1))
    running.open()
    await eventually(() => expect(world.outcomes).toHaveLength(2))
    expect(most).toBe(1)
  })

  it('waits for its job when it closes', async () => {
    const running = gate()
    const started = gate()
    const worker = await world.work(async () => {
      started.open()
      await running.opened
      return rejected()
    })
    await world.queue.request(fresh())
    await started.opened
    const closing = worker.close({ deadlineMs: 20_000 })
    running.open()
    await closing
    expect(world.outcomes).toHaveLength(1)
    expect(await world.queue.counts()).toMatchObject({ completed: 1, active: 0 })
  })

  it('gives its job back when the deadline of closing has passed, and another worker does it at once', async () => {
    const started = gate()
    const worker = await world.work(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('ended early')), { once: true })
          started.open()
        }),
      // Longer than this test may take: nobody finds the job by its lost lock.
      { lockDurationMs: 120_000 },
    )
    const { jobId } = await world.queue.request(fresh())
    await started.opened
    await worker.close({ deadlineMs: 50 })
    expect(await world.queue.counts()).toMatchObject({ waiting: 1, active: 0 })
    await world.work(async () => rejected())
    await eventually(() => expect(world.outcomes).toMatchObject([{ jobId }]))
    expect(world.failures).toEqual([])
  })
})
