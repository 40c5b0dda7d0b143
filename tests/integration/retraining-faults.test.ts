import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { ModelEvent } from '../../src/events.ts'
import type { HistoryStore } from '../../src/history/history-types.ts'
import { createSqliteHistory } from '../../src/history/sqlite-history.ts'
import { createFolderStore } from '../../src/registry/folder-store.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import type { Registry } from '../../src/registry/registry-types.ts'
import { retrain } from '../../src/retraining/retrain.ts'
import { createRetrainQueue } from '../../src/retraining/retrain-queue.ts'
import { createRetrainWorker } from '../../src/retraining/retrain-worker.ts'
import { eventually } from '../support/eventually.ts'
import { predictionRow } from '../support/history-rows.ts'
import { createMemorySignal } from '../support/memory-signal.ts'
import { gate, queueWorld, redisUrl, rejected } from '../support/retrain-queue-world.ts'
import { labelledRows, request, retrainWorld, rowsFrom, silent, thresholdModel } from '../support/retrain-world.ts'
import { sampleRun } from '../support/sample-artefact.ts'
import { createUrlProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const fresh = (): ReturnType<typeof request> => request({ requestedAt: Date.now() })

describe('a retraining worker that dies', () => {
  let world: ReturnType<typeof queueWorld>
  let folder: string
  let registry: Registry
  let history: HistoryStore
  let victim: ChildProcess | undefined
  beforeEach(async () => {
    world = queueWorld()
    folder = mkdtempSync(join(tmpdir(), 'driftline-retrain-'))
    const store = createFolderStore({ root: `${folder}/artefacts` })
    registry = createRegistry({ store, signal: createMemorySignal(), now: Date.now, logger: silent })
    await store.addVersion(thresholdModel(0.5), sampleRun())
    await registry.promote({ alias: 'production', version: '1', actor: 'test', reason: 'initial' })
    history = createSqliteHistory({ file: `${folder}/history.sqlite` })
    const rows = labelledRows(200, 0.8)
    await history.recordPredictions(
      rows.map((row, n) => predictionRow(n, { event_id: row.event_id, features: row.features })),
    )
    await history.recordLabels(rows)
  })
  afterEach(async () => {
    if (victim?.exitCode === null && victim.signalCode === null) {
      victim.kill('SIGKILL')
      await once(victim, 'exit')
    }
    await world.close()
    await history.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A worker in a process of its own that has taken the job and stands at `where`. */
  const stoppedAt = async (where: string): Promise<ChildProcess> => {
    const program = new URL('../support/programs/retrain-victim.ts', import.meta.url)
    const child = spawn(process.execPath, [program.pathname, where, redisUrl, world.task, folder], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    victim = child
    const [reached] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    expect(reached).toBe(where)
    return child
  }

  /** Another worker, which finds the job by its lost lock and does it. */
  const finishJob = async (jobId: string): Promise<ModelEvent[]> => {
    const events: ModelEvent[] = []
    const { deps } = await retrainWorld({ rows: [], champion: null })
    const publish = async (event: ModelEvent): Promise<void> => void events.push(event)
    const work = { ...deps, rows: rowsFrom(history), registry, publish }
    await world.work((asked, context) => retrain(work, asked, context))
    await eventually(() => expect(world.outcomes).toHaveLength(1), { timeoutMs: 30_000 })
    const outcome = { status: 'promoted', version: '2', previous: '1', epoch: 2 }
    expect(world.outcomes[0]).toMatchObject({ jobId, outcome })
    return events
  }

  const expectOnePromotion = async (): Promise<void> => {
    const { epoch, aliases } = await registry.store.readAliases()
    expect([epoch, aliases.production]).toEqual([2, '2'])
    expect(world.failures).toEqual([])
  }

  it.each(['training', 'stored', 'promoted'])('%s: another one ends its job, with one promotion', async (where) => {
    const { jobId } = await world.queue.request(fresh())
    const child = await stoppedAt(where)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    const events = await finishJob(jobId)
    expect(events.filter(({ type }) => type === 'promoted')).toHaveLength(1)
    expect(await registry.store.listVersions()).toHaveLength(2)
    await expectOnePromotion()
  })

  it.each(['training', 'stored'])('%s: one that only slept does not promote a second time', async (where) => {
    const { jobId } = await world.queue.request(fresh())
    const child = await stoppedAt(where)
    child.kill('SIGSTOP')
    await finishJob(jobId)
    const ended = once(child, 'message')
    child.kill('SIGCONT')
    child.send('go on')
    expect(await ended).toEqual(['ended', undefined])
    await expectOnePromotion()
  })
})

describe('when Redis goes away', () => {
  let world: ReturnType<typeof queueWorld>
  let proxy: TcpProxy & { readonly url: string }
  beforeEach(async () => {
    world = queueWorld()
    proxy = await createUrlProxy(redisUrl, 6379)
  })
  afterEach(async () => {
    proxy.heal()
    await world.close()
    await proxy.close()
  })

  it('a job goes on through a short cut and is done once', async () => {
    const healed = gate()
    const started = gate()
    let runs = 0
    await world.work(
      async (_, { progress }) => {
        runs += 1
        started.open()
        progress({ percent: 50, stage: 'in the dark' })
        await healed.opened
        return rejected()
      },
      { redisUrl: proxy.url, lockDurationMs: 20_000 },
    )
    const { jobId } = await world.queue.request(fresh())
    await started.opened
    proxy.cut()
    await expect(
      createRetrainWorker({ ...ignored, redisUrl: proxy.url, task: world.task, connectTimeoutMs: 300 }).start(),
    ).rejects.toMatchObject({ code: 'RETRAIN_QUEUE_UNAVAILABLE' })
    healed.open()
    proxy.heal()
    await eventually(() => expect(world.outcomes).toEqual([{ jobId, outcome: rejected() }]))
    expect(runs).toBe(1)
    expect(await world.queue.counts()).toMatchObject({ active: 0, completed: 1 })
    // It takes jobs again, too.
    await world.queue.request(fresh())
    await eventually(() => expect(world.outcomes).toHaveLength(2))
  })

  it('a worker that lost its job to another one is told to end', async () => {
    const started = gate()
    const toldToEnd = gate()
    await world.work(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            toldToEnd.open()
            reject(new Error('ended early'))
          })
          started.open()
        }),
      { redisUrl: proxy.url },
    )
    const { jobId } = await world.queue.request(fresh())
    await started.opened
    proxy.cut()
    await world.work(async () => rejected('by the other one'))
    await eventually(() => expect(world.outcomes).toEqual([{ jobId, outcome: rejected('by the other one') }]))
    proxy.heal()
    await toldToEnd.opened
    expect(await world.queue.counts()).toMatchObject({ completed: 1, failed: 0, active: 0, waiting: 0 })
    expect(world.outcomes).toHaveLength(1)
  })

  it('a worker closes all the same', async () => {
    const started = gate()
    const worker = await world.work(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('ended early')), { once: true })
          started.open()
        }),
      { redisUrl: proxy.url },
    )
    await world.queue.request(fresh())
    await started.opened
    proxy.cut()
    const start = performance.now()
    await worker.close({ deadlineMs: 100 })
    expect(performance.now() - start).toBeLessThan(15_000)
  })

  it.each(['cut', 'stall'] as const)('a request fails soon and works again later: %s', async (how) => {
    const timeoutMs = 400
    const queue = createRetrainQueue({ redisUrl: proxy.url, task: world.task, logger: silent, timeoutMs })
    try {
      const { jobId } = await queue.request(fresh())
      proxy[how]()
      const start = performance.now()
      await expect(queue.request(fresh())).rejects.toMatchObject({
        code: 'RETRAIN_QUEUE_UNAVAILABLE',
        retryable: true,
      })
      await expect(queue.counts()).rejects.toMatchObject({ code: 'RETRAIN_QUEUE_UNAVAILABLE' })
      expect(performance.now() - start).toBeLessThan(10 * timeoutMs)
      proxy.heal()
      await eventually(async () => {
        expect(await queue.request(fresh())).toEqual({ jobId, deduplicated: true })
      })
      expect(await world.queue.counts()).toMatchObject({ waiting: 1 })
    } finally {
      await queue.close()
    }
  })

  it('a queue that never reached Redis fails soon, and closes', async () => {
    proxy.cut()
    const queue = createRetrainQueue({ redisUrl: proxy.url, task: world.task, logger: silent, timeoutMs: 300 })
    await expect(queue.request(fresh())).rejects.toMatchObject({ code: 'RETRAIN_QUEUE_UNAVAILABLE' })
    // Its caller has given up: the request must not turn up when Redis is back.
    proxy.heal()
    await eventually(async () => expect(await queue.counts()).toMatchObject({ waiting: 0 }))
    await queue.close()
  })
})

const ignored = {
  process: async () => rejected(),
  labelWaitMs: 1,
  pollMs: 1,
  now: Date.now,
  onOutcome: () => undefined,
  onFailed: () => undefined,
  logger: silent,
}

describe('a Redis that may drop jobs', () => {
  /** Redis as it is, but for one word in its answers. */
  const rewritingProxy = async (from: string, to: string): Promise<{ url: string; close: () => Promise<void> }> => {
    expect(to).toHaveLength(from.length)
    const target = new URL(redisUrl)
    const server = createServer((client) => {
      const upstream = connectTo(Number(target.port || 6379), target.hostname)
      client.pipe(upstream)
      upstream.on('data', (chunk) => client.write(chunk.toString('latin1').replaceAll(from, to), 'latin1'))
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => one.destroy())
        one.on('close', () => other.destroy())
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = new URL(redisUrl)
    url.hostname = '127.0.0.1'
    url.port = String((server.address() as AddressInfo).port)
    return { url: url.toString(), close: async () => void server.close() }
  }

  it('is refused', async () => {
    const evicting = await rewritingProxy('maxmemory_policy:noeviction', 'maxmemory_policy:allkeys-xx')
    const worker = createRetrainWorker({ ...ignored, redisUrl: evicting.url, task: 'evicting' })
    await expect(worker.start()).rejects.toMatchObject({
      code: 'REDIS_EVICTS',
      message: expect.stringMatching(/allkeys-xx.*noeviction/),
    })
    await evicting.close()
  })

  it('is warned of where it does not tell', async () => {
    const silentRedis = await rewritingProxy('maxmemory_policy:', 'maxmemory_policX:')
    const warnings: string[] = []
    const logger = { ...silent, warn: (message: string) => warnings.push(message) } as unknown as typeof silent
    const worker = createRetrainWorker({ ...ignored, logger, redisUrl: silentRedis.url, task: 'untold' })
    await worker.start()
    await worker.close()
    expect(warnings).toEqual([expect.stringContaining('maxmemory-policy')])
    await silentRedis.close()
  })
})
