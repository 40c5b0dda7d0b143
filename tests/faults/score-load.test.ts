import { setTimeout as later } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { faultClient } from '../support/fault-clients.ts'
import { kafkaBrokers, schemaRegistryUrl } from '../support/kafka.ts'
import { flawless } from '../support/scoring-world/oracle.ts'
import { createScoringWorld, type ScoringWorld } from '../support/scoring-world/world.ts'

const PARTITIONS = 4
const SESSION = { sessionTimeoutMs: 4000, transactionTimeoutMs: 3000 }

let world: ScoringWorld
beforeEach(async () => {
  world = await createScoringWorld({
    servers: {
      brokers: kafkaBrokers().join(','),
      registryUrl: schemaRegistryUrl(),
      redisUrl: process.env['REDIS_URL'] ?? '',
    },
    client: faultClient,
    partitions: PARTITIONS,
    models: 2,
    ...SESSION,
  })
})
afterEach(() => world?.close())

const HOUR_MS = 3_600_000

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

describe(`workers with the client ${faultClient}, under load,`, () => {
  test('take a new model every second and lose nothing, one model for each batch', async () => {
    const workers = [world.startWorker(), world.startWorker()]
    await Promise.all(workers.map(({ ready }) => ready))
    const load = world.load(2000)
    await load.more(2000)
    const swaps: { version: string; at: number }[] = []
    for (let swap = 0; swap < 6; swap++) {
      const version = world.models.versions[(swap + 1) % 2]!
      const at = Date.now()
      await world.models.promote(version)
      swaps.push({ version, at })
      await later(1000)
    }
    expect(await world.verdict()).toMatchObject(flawless)

    const written = await world.predictions()
    const delays: number[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = written.filter((prediction) => prediction.partition === partition)
      // Had a batch been scored by two models, the version would change more often than production did.
      const changes = own.filter(({ modelVersion }, i) => i > 0 && modelVersion !== own[i - 1]?.modelVersion)
      expect(changes.length).toBe(swaps.length)
      changes.forEach(({ modelVersion, scoredAt }, i) => {
        expect(modelVersion).toBe(swaps[i]?.version)
        delays.push(scoredAt - (swaps[i]?.at ?? 0))
      })
    }
    console.info(
      `promotion to first prediction by the new version, ${delays.length} times: ` +
        `p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms`,
    )
    // The message comes at once; a poll would come after two seconds.
    expect(quantile(delays, 0.5)).toBeLessThan(1000)
  })

  test('end in order when they are asked to, and others take over', async () => {
    const first = world.startWorker()
    await first.ready
    const load = world.load(2000)
    await load.more(2000)
    const second = world.startWorker()
    await second.ready
    await load.more(1000)
    first.child.kill('SIGTERM')
    expect(await first.ended).toEqual({ code: 0, signal: null })
    await load.more(1000)
    second.child.kill('SIGTERM')
    expect(await second.ended).toEqual({ code: 0, signal: null })
    await world.startWorker().ready
    expect(await world.verdict()).toMatchObject(flawless)
  })

  test('join and leave every two seconds', async () => {
    await world.startWorker().ready
    const load = world.load(2000)
    for (let round = 0; round < 3; round++) {
      const guest = world.startWorker()
      await guest.ready
      await later(2000)
      guest.child.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
      await guest.ended
    }
    await load.more(1000)
    expect(await world.verdict()).toMatchObject(flawless)
  })

  test('do not care when their clocks are set an hour forward and back', async () => {
    const workers = [world.startWorker({ movingClock: true }), world.startWorker({ movingClock: true })]
    await Promise.all(workers.map(({ ready }) => ready))
    const load = world.load(1000)
    await load.more(1000)
    const [first, second] = workers
    // A broker takes no record that claims to come from more than an hour ahead.
    const ahead = HOUR_MS - 60_000
    expect(await first!.shiftClock(ahead)).toBeGreaterThan(Date.now() + ahead - 10_000)
    expect(await second!.shiftClock(-HOUR_MS)).toBeLessThan(Date.now() - HOUR_MS + 10_000)
    // Longer than a session: whoever measured it by the clock on the wall would be thrown out, or never notice.
    await later(SESSION.sessionTimeoutMs * 1.5)
    await eventually(async () => expect(await world.lag()).toBeLessThan(1000n))
    await first!.shiftClock(-ahead)
    await second!.shiftClock(HOUR_MS)
    await later(SESSION.sessionTimeoutMs * 1.5)
    await load.stop()
    await world.drained(5000)
    expect(world.running()).toEqual(workers)
    expect(await world.verdict()).toMatchObject(flawless)
  })

  test('catch up on a hundred thousand events in bounded memory', async () => {
    const backlog = world.load(50_000)
    await backlog.more(100_000)
    await backlog.stop()
    const worker = world.startWorker()
    await worker.ready
    const started = performance.now()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, worker.residentBytes() ?? 0)
    }, 100)
    await eventually(async () => expect(await world.lag()).toBe(0n), { timeoutMs: 60_000, everyMs: 100 })
    clearInterval(watch)
    console.info(
      `${backlog.sent()} events in ${Math.round(performance.now() - started)} ms, ` +
        `at most ${Math.round(most / 2 ** 20)} MiB resident`,
    )
    expect(await world.verdict()).toMatchObject(flawless)
    expect(most).toBeLessThan(350 * 2 ** 20)
  })
})
