import { afterAll, beforeAll, expect, test } from 'vitest'
import { predictionIdHeader } from '../../src/topology.ts'
import { createKafkaBench, type KafkaBench, kafkaBrokers } from '../support/kafka.ts'
import { eventId, flawless, judge } from '../support/scoring-world/oracle.ts'

// The fault tests believe this one reader: so it is tried on what must not be.
let bench: KafkaBench
beforeAll(async () => {
  bench = await createKafkaBench()
})
afterAll(() => bench?.close())

type World = { features: string; predictions: string; deadLetters: string }

const topics = async (): Promise<World> => ({
  features: await bench.topic({ partitions: 2 }),
  predictions: await bench.topic({ partitions: 2 }),
  deadLetters: await bench.topic({ partitions: 2 }),
})

/** Events e0 to e5 on partition 0, at the offsets 0 to 5. */
const sendEvents = (world: World) =>
  bench.producer.send(
    Array.from({ length: 6 }, (_, i) => ({
      topic: world.features,
      partition: 0,
      key: Buffer.from(eventId(i)),
      value: null,
    })),
  )

const predict = (world: World, offsets: readonly number[], partition = 0) =>
  bench.producer.send(
    offsets.map((offset) => ({
      topic: world.predictions,
      partition,
      key: Buffer.from(eventId(offset)),
      value: null,
      headers: { [predictionIdHeader]: `${world.features}-0-${offset}` },
    })),
  )

const refuse = (world: World, offset: number) =>
  bench.producer.send([
    {
      topic: world.deadLetters,
      partition: 0,
      key: Buffer.from(eventId(offset)),
      value: null,
      headers: { 'driftline.error.partition': '0', 'driftline.error.offset': String(offset) },
    },
  ])

const verdictOn = (world: World, confirmed: readonly number[] = [0, 1, 2, 3, 4, 5]) =>
  judge({
    brokers: kafkaBrokers().join(','),
    topics: {
      features: { name: world.features },
      predictions: { name: world.predictions },
      deadLetters: { name: world.deadLetters },
    },
    confirmed,
  })

test('what is right is found right', async () => {
  const world = await topics()
  await sendEvents(world)
  await predict(world, [0, 1, 2, 4, 5])
  await refuse(world, 3)
  expect(await verdictOn(world)).toEqual({ ...flawless, events: 6, predictions: 5, deadLetters: 1 })
})

test('what is lost, twice, out of order, on another partition or of no event is found', async () => {
  const world = await topics()
  await sendEvents(world)
  // 1 is missing, 2 comes behind 3, 3 is a dead letter as well, 9 is no event, 5 is on the other partition.
  await predict(world, [0, 3, 2, 4, 9])
  await predict(world, [5], 1)
  await refuse(world, 3)
  const verdict = await verdictOn(world, [0, 1, 2, 3, 4, 5, 6])
  expect(verdict).toMatchObject({ strangers: 1, outOfOrder: 2, duplicated: 1, sentTwice: 0 })
  // Besides 1: the sixth was confirmed to its producer, and is nowhere.
  expect(verdict.lost).toBe(2)
  expect(verdict.examples).toHaveLength(6)
})

test('an event that was sent twice is found', async () => {
  const world = await topics()
  await sendEvents(world)
  await sendEvents(world)
  await predict(world, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  expect(await verdictOn(world)).toMatchObject({ lost: 0, duplicated: 0, sentTwice: 6 })
})
