import { setTimeout as later } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { faultClient, faultClients } from '../support/fault-clients.ts'
import { kafkaBrokers, schemaRegistryUrl } from '../support/kafka.ts'
import { flawless } from '../support/scoring-world/oracle.ts'
import type { ScoringWorker } from '../support/scoring-world/scoring-worker.ts'
import { createScoringWorld, type ScoringWorld } from '../support/scoring-world/world.ts'

const PARTITIONS = 4
const SESSION = { sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 }
const HOUR_MS = 3_600_000
const EVENTS_PER_SECOND = 2000

let world: ScoringWorld
/** The workers that a test finds and leaves running. */
let first: ScoringWorker
let second: ScoringWorker

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** Runs `fault` under load and waits until everything is scored. */
const underLoad = async (fault: () => Promise<void>): Promise<void> => {
  const load = world.load(EVENTS_PER_SECOND)
  await load.more(EVENTS_PER_SECOND)
  await fault()
  await load.more(EVENTS_PER_SECOND / 2)
  await load.stop()
  await world.drained(30_000)
}

// One after another on one task, counted together in the end: counting takes longer than most of the faults.
describe.each(faultClients)('workers with the client %s, under load,', (client) => {
  beforeAll(async () => {
    world = await createScoringWorld({
      servers: {
        brokers: kafkaBrokers().join(','),
        registryUrl: schemaRegistryUrl(),
        redisUrl: process.env['REDIS_URL'] ?? '',
      },
      client,
      partitions: PARTITIONS,
      models: 2,
      ...SESSION,
    })
    first = world.startWorker({ movingClock: true })
    second = world.startWorker({ movingClock: true })
    await Promise.all([first.ready, second.ready])
  })
  afterAll(() => world?.close())

  /** Of what does not depend on the client. */
  const testOnce = test.runIf(client === faultClient)

  testOnce('take a new model every second, one model for each batch', async () => {
    const swaps: { version: string; at: number }[] = []
    await underLoad(async () => {
      for (let swap = 0; swap < 6; swap++) {
        const version = world.models.versions[(swap + 1) % 2]!
        const at = Date.now()
        await world.models.promote(version)
        swaps.push({ version, at })
        await later(1000)
      }
    })

    const written = await world.predictions()
    const delays: number[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = written.filter((prediction) => prediction.partition === partition)
      // Had a batch been scored by two models, the version would change more often than production did.
      const changes = own.filter(({ modelVersion }, i) => i > 0 && modelVersion !== own[i - 1]?.modelVersion)
      expect(changes.map(({ modelVersion }) => modelVersion)).toEqual(swaps.map(({ version }) => version))
      changes.forEach(({ scoredAt }, i) => {
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

  testOnce('do not care when their clocks are set an hour forward and back', async () => {
    await underLoad(async () => {
      // A broker takes no record that claims to come from more than an hour ahead.
      const ahead = HOUR_MS - 60_000
      expect(await first.shiftClock(ahead)).toBeGreaterThan(Date.now() + ahead - 10_000)
      expect(await second.shiftClock(-HOUR_MS)).toBeLessThan(Date.now() - HOUR_MS + 10_000)
      // Longer than a session: whoever measured it by the clock on the wall would be thrown out, or never notice.
      await later(SESSION.sessionTimeoutMs + 1000)
      await eventually(async () => expect(await world.lag()).toBeLessThan(BigInt(EVENTS_PER_SECOND)))
      await first.shiftClock(-ahead)
      await second.shiftClock(HOUR_MS)
      await later(SESSION.sessionTimeoutMs + 1000)
    })
    expect(world.running()).toEqual([first, second])
  })

  test('end in order when they are asked to, and others take over', async () => {
    await underLoad(async () => {
      const third = world.startWorker()
      await third.ready
      for (const worker of [first, second]) {
        worker.child.kill('SIGTERM')
        expect(await worker.ended).toEqual({ code: 0, signal: null })
      }
      first = third
    })
  })

  test('join and leave every two seconds', async () => {
    await underLoad(async () => {
      for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
        const guest = world.startWorker()
        await guest.ready
        await later(2000)
        guest.child.kill(signal)
        await guest.ended
      }
    })
  })

  testOnce('catch up on a hundred thousand events in bounded memory', async () => {
    await first.stop()
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
    expect(most).toBeLessThan(350 * 2 ** 20)
  })

  test('have scored every event once, in order, and none became a dead letter', async () => {
    expect(await world.verdict()).toMatchObject({ ...flawless, deadLetters: 0 })
  })
})
