import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultClient } from '../support/fault-clients.ts'
import { kafkaBrokers, schemaRegistryUrl } from '../support/kafka.ts'
import { eventId, flawless } from '../support/scoring-world/oracle.ts'
import { createScoringWorld, type Encode, type ScoringWorld } from '../support/scoring-world/world.ts'

/** What a broker takes in one batch unless it is told otherwise, with some room for what surrounds the value. */
const LARGEST_VALUE = 1_048_588 - 200

let world: ScoringWorld
let poisoned = 0
beforeAll(async () => {
  world = await createScoringWorld({
    servers: {
      brokers: kafkaBrokers().join(','),
      registryUrl: schemaRegistryUrl(),
      redisUrl: process.env['REDIS_URL'] ?? '',
    },
    client: faultClient,
  })
  await world.startWorker().ready
})
afterAll(() => world?.close())

/** Sends so many events under load and waits until they are scored. */
const through = async (count: number, options: { poisonEvery?: number; encode?: Encode }): Promise<void> => {
  const load = world.load(3000, options)
  await load.more(count)
  await load.stop()
  if (options.poisonEvery !== undefined) poisoned += Math.floor(load.sent() / options.poisonEvery)
  await world.drained(30_000)
}

describe(`a worker with the client ${faultClient}`, () => {
  test('takes a poisoned record every 100, and records at the size limit among small ones', async () => {
    await through(6000, { poisonEvery: 100 })
    await world.producer.send([
      {
        topic: world.topics.features.name,
        partition: 0,
        key: Buffer.from(eventId(1_000_000)),
        value: Buffer.alloc(LARGEST_VALUE, '{'),
      },
    ])
    await through(500, {})
  })

  test('reads writers whose schema is older and newer than its own, side by side, as they come', async () => {
    const [older, newer] = await Promise.all([world.foreignWriter('older'), world.foreignWriter('newer')])
    const writers = [world.encode, older, newer]
    await through(3000, { encode: (number) => writers[number % 3]!(number) })
  })

  test('has answered every record once, in order; dead letters are the poisoned and the large ones alone', async () => {
    const verdict = await world.verdict()
    expect(verdict).toMatchObject(flawless)
    expect(verdict.deadLetters).toBe(poisoned + 1)
  })
})
