import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { RunningConsumer } from '../../src/kafka/kafka-types.ts'
import { type Copy, copyTo, eventsOf, expectCopied } from '../support/copy-through.ts'
import { eventually } from '../support/eventually.ts'
import { faultClients } from '../support/fault-clients.ts'
import { uniqueName } from '../support/kafka.ts'
import { createOwnBroker, type Entrance, type OwnBroker } from '../support/own-broker.ts'
import { testLogger } from '../support/test-logger.ts'

const SHORT = { sessionTimeoutMs: 3000, transactionTimeoutMs: 2000 }
const PARTITIONS = 2

let broker: OwnBroker
beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
})
afterAll(() => broker?.close())

describe.each(faultClients)('a worker of the client %s', (name) => {
  test('that is cut off alone loses its partitions to another, and what either writes is there once', async () => {
    const { aside } = broker
    const connect = ({ address }: Entrance) =>
      createKafkaClient(name, { brokers: [address], clientId: 'cut-off', logger: testLogger() })
    const copy: Copy = { input: uniqueName('topic'), output: uniqueName('topic'), group: uniqueName('group') }
    const observing = await connect(aside)
    const [admin, producer] = [await observing.admin(), await observing.producer()]
    const topics = [copy.input, copy.output]
    await admin.ensureTopics(topics.map((topic) => ({ name: topic, partitions: PARTITIONS, replicationFactor: 1 })))
    let sent = 0
    const send = async (): Promise<void> => {
      await producer.send(eventsOf(copy.input, sent, sent + 400, PARTITIONS))
      sent += 400
    }
    const caughtUp = () =>
      eventually(
        async () => {
          const lag = await admin.consumerLag(copy.group, copy.input)
          expect([...lag.values()]).toEqual(Array(PARTITIONS).fill(0n))
        },
        { timeoutMs: 60_000, everyMs: 200 },
      )

    const consumers: RunningConsumer[] = []
    /** A worker, and the partitions that it has committed in since somebody cleared them. */
    const startWorker = async (entrance: Entrance, onCommitted?: () => void): Promise<Set<number>> => {
      const worked = new Set<number>()
      const consumer = await (await connect(entrance)).runExactlyOnce({
        group: copy.group,
        topic: copy.input,
        batchMaxRecords: 20,
        batchGoalMs: 1000,
        ...SHORT,
        process: copyTo(copy.output),
        observer: {
          committed: ({ partition }) => {
            worked.add(partition)
            onCommitted?.()
          },
        },
      })
      consumer.done.catch(() => undefined)
      consumers.push(consumer)
      return worked
    }

    try {
      let cutting = false
      const cut = Promise.withResolvers<void>()
      const first = await startWorker(broker, () => {
        if (!cutting) return
        // With more at hand: its other partition, and the rest of this one.
        broker.line.stall()
        cut.resolve()
      })
      const second = await startWorker(aside)
      await eventually(
        async () => {
          first.clear()
          second.clear()
          await send()
          await caughtUp()
          expect([first.size, second.size]).toEqual([1, 1])
        },
        { timeoutMs: 60_000 },
      )

      cutting = true
      second.clear()
      await send()
      await cut.promise
      cutting = false
      await caughtUp()
      expect(second.size, 'partitions that the other one works on').toBe(PARTITIONS)
      await send()
      await caughtUp()

      broker.line.heal()
      await eventually(
        async () => {
          first.clear()
          await send()
          await caughtUp()
          expect(first.size, 'partitions of the one that came back').toBeGreaterThan(0)
        },
        { timeoutMs: 60_000 },
      )
    } finally {
      broker.line.heal()
      await Promise.allSettled(consumers.map((consumer) => consumer.stop({ deadlineMs: 20_000 })))
      await Promise.allSettled([producer.close(), admin.close()])
    }
    await expectCopied({ brokers: aside.address, partitions: PARTITIONS }, copy.output, sent)
  })
})
