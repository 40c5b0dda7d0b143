import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { faultClient } from '../support/fault-clients.ts'
import { kafkaBrokers, schemaRegistryUrl } from '../support/kafka.ts'
import { createOwnRedis, type OwnRedis } from '../support/own-redis.ts'
import { flawless } from '../support/scoring-world/oracle.ts'
import type { ScoringWorker } from '../support/scoring-world/scoring-worker.ts'
import { createScoringWorld, type ScoringWorld } from '../support/scoring-world/world.ts'
import { createUrlProxy } from '../support/tcp-proxy.ts'

let redis: OwnRedis
let redisLine: Awaited<ReturnType<typeof createUrlProxy>>
let registryLine: Awaited<ReturnType<typeof createUrlProxy>>
let world: ScoringWorld
let worker: ScoringWorker
beforeAll(async () => {
  redis = await createOwnRedis()
  await redis.start()
  redisLine = await createUrlProxy(redis.url, 6379)
  registryLine = await createUrlProxy(schemaRegistryUrl(), 80)
  world = await createScoringWorld({
    servers: {
      brokers: kafkaBrokers().join(','),
      registryUrl: registryLine.url,
      redisUrl: redisLine.url,
      direct: { registryUrl: schemaRegistryUrl(), redisUrl: redis.url },
    },
    client: faultClient,
    models: 2,
  })
  worker = world.startWorker()
  await worker.ready
})
afterAll(async () => {
  await world?.close()
  await Promise.all([redisLine?.close(), registryLine?.close()])
  await redis?.close()
})

afterEach(() => {
  registryLine.heal()
  redisLine.heal()
})

const versionOf = async (): Promise<unknown> => {
  const reply = await fetch(`${await worker.ready}/health`)
  return ((await reply.json()) as { details: { model_version: unknown } }).details.model_version
}

/** The load that is sent from here on is scored while the fault lasts. */
const scoresOn = async (events = 500): Promise<void> => {
  const load = world.load(1000)
  await load.more(events)
  await load.stop()
  await world.drained(20_000)
}

// One after another over the same worker: each leaves it as the next one finds it.
describe(`a worker with the client ${faultClient}`, () => {
  test('does not start without a schema registry that it never saw, says why, and starts when it is there', async () => {
    // Schemas that were seen once are kept on disk: this one has a disk of its own.
    const env = { DRIFTLINE_HOME: join(world.task.home, 'cold') }
    registryLine.cut()
    const cold = world.startWorker({ env })
    expect(await cold.ended).toEqual({ code: 4, signal: null })
    expect(cold.complaints()).toContain(`cannot be registered at ${registryLine.url}`)
    registryLine.heal()
    const again = world.startWorker({ env })
    await again.ready
    await again.stop()
  })

  test('scores on while the registry is down, also one that was just started', async () => {
    registryLine.cut()
    await scoresOn()
    const warm = world.startWorker()
    await warm.ready
    await scoresOn()
    await warm.stop()
  })

  test('waits for a schema that it cannot ask for, and makes no dead letter of it', async () => {
    const foreign = await world.foreignWriter('newer')
    registryLine.cut()
    const load = world.load(500, { encode: foreign })
    await load.more(500)
    await load.stop()
    await later(2000)
    expect(await world.lag()).toBe(BigInt(load.sent()))
    expect(worker.isRunning()).toBe(true)
    registryLine.heal()
    await world.drained(20_000)
  })

  test('scores on while Redis is cut off, and finds the new model in the store', async () => {
    const [first = '', second = ''] = world.models.versions
    expect(await versionOf()).toBe(first)
    redisLine.cut()
    await world.models.promote(second)
    await scoresOn()
    await eventually(async () => expect(await versionOf()).toBe(second), { timeoutMs: 30_000 })
  })

  test('scores on while Redis is killed and comes back, and hears of the next model', async () => {
    const [first = ''] = world.models.versions
    await redis.kill()
    try {
      await scoresOn()
    } finally {
      await redis.start()
    }
    await world.models.promote(first)
    await eventually(async () => expect(await versionOf()).toBe(first), { timeoutMs: 30_000 })
  })

  test('fills a Redis that was emptied again, and scores on', async () => {
    const client = new Redis(redis.url)
    await client.flushall()
    await scoresOn()
    const epoch = String(await world.models.epoch())
    await eventually(async () => expect(await client.get(`driftline:${world.task.task}:epoch`)).toBe(epoch), {
      timeoutMs: 30_000,
    })
    await client.quit()
  })

  test('has scored every event once, in order, and none became a dead letter', async () => {
    expect(await world.verdict()).toMatchObject({ ...flawless, deadLetters: 0 })
    await worker.stop()
    expect(await worker.ended).toEqual({ code: 0, signal: null })
  })
})
