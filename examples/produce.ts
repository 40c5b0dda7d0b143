/**
 * Produces random feature events for the task of a configuration file, as JSON, and waits for their predictions.
 *
 * node examples/produce.ts [COUNT]     KAFKA_BROKERS and DRIFTLINE_CONFIG as everywhere
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { parse } from 'yaml'

type Feature = { name: string; range?: [number, number]; categories?: string[] }
type Task = { task: string; features: Feature[] }

const count = Number(process.argv[2] ?? 10)
if (!Number.isInteger(count) || count < 1) throw new Error('the count has to be a whole number from 1')
const file = process.env['DRIFTLINE_CONFIG'] ?? new URL('./iris/driftline.yaml', import.meta.url)
const { task, features } = parse(readFileSync(file, 'utf8')) as Task

const kafka = new Kafka({
  clientId: 'example',
  brokers: (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(','),
  logLevel: logLevel.NOTHING,
})
const producer = kafka.producer({ allowAutoTopicCreation: false })
const consumer = kafka.consumer({ groupId: `example-${randomUUID()}` })

const randomValue = ({ range: [least, greatest] = [0, 1], categories }: Feature): number | string | undefined =>
  categories === undefined
    ? least + Math.random() * (greatest - least)
    : categories[Math.floor(Math.random() * categories.length)]

const randomEvent = (): { event_id: string } => ({
  event_id: randomUUID(),
  ...Object.fromEntries(features.map((feature) => [feature.name, randomValue(feature)])),
})
const events = Array.from({ length: count }, randomEvent)
const waiting = new Set(events.map((event) => event.event_id))

await consumer.connect()
await consumer.subscribe({ topic: `${task}.predictions`, fromBeginning: true })
const answered = new Promise<void>((resolve) => {
  void consumer.run({
    eachMessage: async ({ partition, message }) => {
      // A prediction keeps the key of its event.
      const id = message.key?.toString() ?? ''
      if (!waiting.delete(id)) return
      console.log(`${id} was scored: ${task}.predictions, partition ${partition}, offset ${message.offset}`)
      if (waiting.size === 0) resolve()
    },
  })
})

await producer.connect()
await producer.send({
  topic: `${task}.features`,
  messages: events.map((event) => ({ key: event.event_id, value: JSON.stringify(event) })),
})
const patience = setTimeout(() => {
  console.error(`${waiting.size} of ${count} events have no prediction after 30 s: does "driftline run score" run?`)
  process.exit(1)
}, 30_000)
await answered
clearTimeout(patience)
await Promise.all([producer.disconnect(), consumer.disconnect()])
