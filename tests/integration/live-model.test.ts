import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createLiveModel,
  type RejectionNotice,
  type StaleEpochNotice,
  type SwapNotice,
} from '../../src/registry/live-model.ts'
import { createRedisSignal } from '../../src/registry/redis-signal.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import type { ArtefactStore, LiveModel, Registry, SwapSignal } from '../../src/registry/registry-types.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { folderStoreUnderTest } from '../support/folder-store-under-test.ts'
import { loadSample, sampleArtefact, sampleRun, verifySample } from '../support/sample-artefact.ts'
import { createUrlProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const redisUrl = process.env['REDIS_URL']!
const logger = createLogger({ name: 'test', level: 'silent', instanceId: 'test' })
const deadlines = { commandTimeoutMs: 300, maxReconnectDelayMs: 100, subscriptionCheckMs: 500 }
/** So long that within a test nothing comes of it: what happens then happened by push. */
const neverMs = 3_600_000

describe('a live model over a folder and Redis', () => {
  let task: string
  let prefix: string
  let under: Awaited<ReturnType<typeof folderStoreUnderTest>>
  let store: ArtefactStore
  let redis: Redis
  let proxy: TcpProxy & { url: string }
  let registry: Registry
  const signals: SwapSignal[] = []
  const models: LiveModel[] = []

  const openSignal = (url = proxy.url): SwapSignal => {
    const signal = createRedisSignal({ redisUrl: url, task, ackTtlMs: 60_000, logger, deadlines })
    signals.push(signal)
    return signal
  }

  /** A worker with its own clients, which notes what it is told. */
  const startWorker = async (options: { pollMs: number; signal?: SwapSignal; instanceId?: string }) => {
    const swaps: SwapNotice[] = []
    const rejections: RejectionNotice[] = []
    const stale: StaleEpochNotice[] = []
    const model = createLiveModel({
      store: under.open(),
      signal: options.signal ?? openSignal(),
      role: 'score',
      instanceId: options.instanceId ?? 'w1',
      loadScorer: loadSample,
      verifyGolden: verifySample,
      pollMs: options.pollMs,
      storeEveryPolls: Number.POSITIVE_INFINITY,
      onSwap: (notice) => swaps.push(notice),
      onRejected: (notice) => rejections.push(notice),
      onStaleEpoch: (notice) => stale.push(notice),
      logger,
      now: Date.now,
    })
    models.push(model)
    await model.start()
    return { model, swaps, rejections, stale }
  }

  const add = (probability: number): Promise<string> => store.addVersion(sampleArtefact(probability), sampleRun())
  const promote = (version: string, via = registry) =>
    via.promote({ alias: 'production', version, actor: 'tester', reason: 'because' })
  const runs = (model: LiveModel, version: string) =>
    eventually(() => expect(model.current()?.version).toBe(version), { everyMs: 5 })

  beforeEach(async () => {
    task = `t${randomUUID().replaceAll('-', '')}`
    prefix = `driftline:${task}:`
    under = await folderStoreUnderTest()
    store = under.open()
    redis = new Redis(redisUrl)
    proxy = await createUrlProxy(redisUrl, 6379)
    registry = createRegistry({ store, signal: openSignal(redisUrl), now: Date.now, logger })
  })
  afterEach(async () => {
    for (const model of models.splice(0)) await model.stop()
    for (const signal of signals.splice(0)) await signal.close()
    await proxy.close()
    const left = await redis.keys(`${prefix}*`)
    if (left.length > 0) await redis.del(left)
    redis.disconnect()
    await under.close()
  })

  test('starts without a model and takes the first one by push', async () => {
    const { model, swaps } = await startWorker({ pollMs: neverMs })
    expect(model.current()).toBeNull()
    await promote(await add(0.1))
    await runs(model, '1')
    expect(swaps).toMatchObject([{ version: '1', previous: null, epoch: 1 }])
  })

  test('each batch is scored by one version, through swaps and a rollback under load', async () => {
    const probabilities: Record<string, number> = {}
    for (let at = 1; at <= 5; at += 1) probabilities[await add(at / 10)] = at / 10
    await promote('1')
    const { model } = await startWorker({ pollMs: neverMs })

    const rows = 500
    const features = new Float64Array(2 * rows)
    const seen = new Set<string>()
    let stopped = false
    let batches = 0
    const scoring = (async () => {
      while (!stopped) {
        const { version, scorer } = model.current()!
        const scores = new Float64Array(2 * rows)
        // Half a batch, a turn of the loop in which a swap may land, and the other half.
        scorer.scoreBlock(features, rows / 2, scores)
        await nextTurn()
        scorer.scoreBlock(features, rows / 2, scores.subarray(rows))
        expect(new Set(scores.filter((_, at) => at % 2 === 1))).toEqual(new Set([probabilities[version]]))
        seen.add(version)
        batches += 1
      }
    })()

    for (const version of ['2', '3', '4', '5', '1', '3', '5']) {
      await promote(version)
      await runs(model, version)
      const before = batches
      await eventually(() => expect(batches).toBeGreaterThan(before + 1), { everyMs: 1 })
    }
    await registry.rollback({ actor: 'tester', reason: 'because' })
    await runs(model, '3')
    stopped = true
    await scoring
    expect([...seen].sort()).toEqual(['1', '2', '3', '4', '5'])
  })

  test('acknowledges what it runs, and again after the acknowledgement was lost', async () => {
    const one = await startWorker({ pollMs: 20, instanceId: 'w1' })
    const two = await startWorker({ pollMs: 20, instanceId: 'w2' })
    await promote(await add(0.1))
    const signal = openSignal(redisUrl)
    const bothRun = (version: string, epoch: number) =>
      eventually(async () => {
        const acks = await signal.acknowledgements()
        expect(acks.map(({ instance }) => instance).sort()).toEqual(['w1', 'w2'])
        for (const ack of acks) expect(ack).toMatchObject({ version, epoch, role: 'score' })
      })
    await bothRun('1', 1)
    await redis.del(`${prefix}acks:w1`)
    await bothRun('1', 1)
    await promote(await add(0.2))
    await bothRun('2', 2)
    const ack = (await signal.acknowledgements()).find(({ instance }) => instance === 'w2')
    expect(ack?.flippedAt).toBe(two.model.current()?.loadedAt)
    expect(one.model.current()?.version).toBe('2')
  })

  test('finds every change by polling when no message arrives', async () => {
    const deaf = { ...openSignal(), subscribe: async () => undefined }
    const { model } = await startWorker({ pollMs: 20, signal: deaf })
    for (const version of [await add(0.1), await add(0.2), await add(0.3)]) {
      await promote(version)
      await runs(model, version)
    }
  })

  test('loses neither model nor aliases when Redis is emptied, and fills it again', async () => {
    const { model, swaps, stale } = await startWorker({ pollMs: 20 })
    await promote(await add(0.1))
    await runs(model, '1')
    for (let round = 0; round < 3; round += 1) {
      await redis.del(`${prefix}epoch`, `${prefix}aliases`, `${prefix}acks:w1`)
      await eventually(async () => {
        expect(await redis.get(`${prefix}epoch`)).toBe('1')
        expect(JSON.parse((await redis.get(`${prefix}aliases`))!)).toMatchObject({
          epoch: 1,
          aliases: { production: '1' },
        })
        expect(await redis.exists(`${prefix}acks:w1`)).toBe(1)
      })
      expect(model.current()?.version).toBe('1')
    }
    expect(swaps).toHaveLength(1)
    expect(stale).toEqual([])
  })

  test('serves on and follows the store while Redis is down; catches up with Redis afterwards', async () => {
    const { model } = await startWorker({ pollMs: 20 })
    const cutOff = createRegistry({ store, signal: openSignal(), now: Date.now, logger })
    await promote(await add(0.1))
    await runs(model, '1')
    proxy.cut()
    expect((await promote(await add(0.2), cutOff)).status).toBe('set')
    expect(model.current()).not.toBeNull()
    await runs(model, '2')
    expect(await redis.get(`${prefix}epoch`)).toBe('1')
    proxy.heal()
    await eventually(async () => expect(await redis.get(`${prefix}epoch`)).toBe('2'))
    await eventually(async () => {
      expect(await openSignal(redisUrl).acknowledgements()).toMatchObject([{ version: '2', epoch: 2 }])
    })
  })

  test('listens again after Redis was away', async () => {
    const { model } = await startWorker({ pollMs: neverMs })
    await promote(await add(0.1))
    await runs(model, '1')
    proxy.cut()
    const version = await add(0.2)
    await promote(version)
    proxy.heal()
    // The message was lost; the reconnect alone tells to look.
    await runs(model, version)
    await promote('1')
    await runs(model, '1')
  })

  test('starts while Redis is down, from the store', async () => {
    await promote(await add(0.1))
    proxy.cut()
    const { model } = await startWorker({ pollMs: 20 })
    expect(model.current()?.version).toBe('1')
  })

  test('starts and follows while the line to Redis is silent', async () => {
    await promote(await add(0.1))
    proxy.stall()
    const { model } = await startWorker({ pollMs: 20 })
    expect(model.current()?.version).toBe('1')
    await promote(await add(0.2))
    await runs(model, '2')
  })

  test('a stale epoch in Redis raises an alarm, is mended and never followed', async () => {
    const { model, swaps, stale } = await startWorker({ pollMs: 20 })
    await promote(await add(0.1))
    await promote(await add(0.2))
    await runs(model, '2')
    const mended = () => eventually(async () => expect(await redis.get(`${prefix}epoch`)).toBe('2'))
    // The worker has to have seen the newer epoch in Redis: an older one is news only then.
    await eventually(async () => {
      await redis.set(`${prefix}epoch`, '1')
      await mended()
      expect(stale[0]).toEqual({ source: 'redis', epoch: 1, seen: 2 })
    })
    expect(model.current()?.version).toBe('2')
    expect(JSON.parse((await redis.get(`${prefix}aliases`))!)).toMatchObject({ epoch: 2 })
    expect(swaps.at(-1)).toMatchObject({ version: '2', epoch: 2 })
  })

  test('an epoch in Redis that the store does not have moves nothing, and later changes are followed', async () => {
    const { model, swaps } = await startWorker({ pollMs: 20 })
    await promote(await add(0.1))
    await runs(model, '1')
    await redis.set(`${prefix}epoch`, '3')
    const versions = [await add(0.2), await add(0.3), await add(0.4)]
    for (const version of versions) {
      await promote(version)
      await runs(model, version)
    }
    expect(await redis.get(`${prefix}epoch`)).toBe('4')
    expect(swaps.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
  })

  test.each(['flip a bit', 'cut short', 'remove'] as const)(
    'refuses a model that is damaged after its promotion (%s), and serves on with the old one',
    async (how) => {
      await promote(await add(0.1))
      const { model, rejections } = await startWorker({ pollMs: 20 })
      await add(0.2)
      await under.damageBinary('2', how)
      // Past the check of the registry, as if the disk failed a moment later.
      const change = { alias: 'production', version: '2', actor: 'tester', reason: 'because', at: 0 } as const
      const result = await store.setAlias(change, 1)
      await registry.promote({ ...change, version: '1', alias: 'staging', expectedEpoch: result.state.epoch })
      await eventually(() => expect(rejections.at(-1)).toMatchObject({ version: '2', serving: '1', epoch: 3 }))
      expect(rejections.at(-1)?.code).toBe('ARTEFACT_CORRUPT')
      expect(model.current()?.version).toBe('1')
      await expect(promote('2')).rejects.toThrow('damaged')

      // The same model, whole again: a look that somebody asks for takes it.
      await add(0.2)
      expect(await model.refresh('asked')).toMatchObject({ status: 'swapped', version: '2', previous: '1' })
    },
  )

  test('after stop it follows nothing', async () => {
    const { model } = await startWorker({ pollMs: 20 })
    const other = await startWorker({ pollMs: 20, instanceId: 'w2' })
    await promote(await add(0.1))
    await runs(model, '1')
    await model.stop()
    await promote(await add(0.2))
    await runs(other.model, '2')
    expect(model.current()?.version).toBe('1')
  })
})
