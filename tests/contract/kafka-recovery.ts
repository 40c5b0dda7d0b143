import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, keysOf, keysUpTo, numbered } from './kafka-contract.ts'

/** What the transaction coordinator says to a producer of which another has the id. */
const FENCED = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']
/** What the group coordinator says to somebody who is no member any more. */
const NO_MEMBER = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']

export const describeKafkaRecovery = ({ bench, create, lagOf, caughtUp, run }: KafkaContract): void => {
  describe('recovery', () => {
    const steps = ['fenced', 'positioned', 'begun', 'sent', 'offsets-sent', 'commit-sent', 'committed'] as const

    test.each(steps)('a step that fails is repaired: %s', async (broken) => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 250, 1))
      let met = 0
      const client = create({
        onStep: (step) => {
          // At 'commit-sent' this loses the reply to a commit that took place.
          if (step !== broken || ++met > 2) return
          // One that may pass begins anew as well: records may have been written already.
          throw met === 1 ? new Error(`lost at ${broken}`) : new AppError('LOST', broken, { retryable: true })
        },
      })
      await run(client, { group, topic, process: copyTo(output) })
      await caughtUp(group, topic)
      expect(met).toBeGreaterThanOrEqual(3)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(250))
    })

    test('a member that was expelled in its sleep is refused, at whatever step it slept', async () => {
      const sleepAt = ['positioned', 'begun', 'sent', 'offsets-sent', 'commit-sent'] as const
      const partitions = sleepAt.length
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      // So much that each partition has transactions of its own, and can sleep at a step of its own.
      const value = Buffer.alloc(4096)
      await bench().producer.send(numbered(topic, 0, 300, partitions).map((record) => ({ ...record, value })))
      const [awake, heard] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const asleep = new Set<number>()
      const refused = new Map<number, string>()
      const sleeper = create({
        onStep: async (step, partition) => {
          if (step !== sleepAt[partition] || asleep.has(partition)) return
          asleep.add(partition)
          await awake.promise
        },
        // It hears nothing of the group either: all that stops it are the brokers.
        beforeHeartbeat: () => (asleep.size === partitions ? heard.promise : undefined),
      })
      await run(sleeper, {
        group,
        topic,
        process: copyTo(output),
        observer: { aborted: ({ partition, code }) => refused.set(partition, code) },
      })
      await eventually(() => expect(asleep.size).toBe(partitions))
      await run(create(), { group, topic, process: copyTo(output) })
      // No more heartbeats come from the sleeper: the other reads all that it had begun with.
      await caughtUp(group, topic)
      expect(refused.size).toBe(0)
      awake.resolve()
      // What it had sent was there before the other began; all else it may not end.
      const notSent = sleepAt.slice(0, -1)
      await eventually(() => expect([...refused.keys()].toSorted()).toEqual([...notSent.keys()]))
      for (const [partition, code] of refused) {
        expect(sleepAt[partition] === 'sent' ? [...FENCED, ...NO_MEMBER] : FENCED, sleepAt[partition]).toContain(code)
      }
      heard.resolve()
      await bench().producer.send(numbered(topic, 300, 600, partitions))
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(600))
    })

    test('a handler that never comes back ends the consumer', async () => {
      const topic = await bench().topic()
      await bench().producer.send(numbered(topic, 0, 1, 1))
      const consumer = await run(create({ stallTimeoutMs: 1500 }), {
        group: uniqueName('group'),
        topic,
        process: () => new Promise(() => {}),
      })
      await expect(consumer.done).rejects.toMatchObject({ code: 'CONSUMER_STALLED' })
    })

    test('waits as long as a retryable error lasts', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 10, 1))
      let ready = false
      let asked = 0
      await run(bench().client, {
        group,
        topic,
        process: (batch, sink) => {
          asked++
          if (!ready) throw new AppError('NOT_READY', 'not ready yet', { retryable: true })
          copyTo(output)(batch, sink)
        },
      })
      await eventually(() => expect(asked).toBeGreaterThan(5))
      expect(await lagOf(group, topic)).toBe(10n)
      ready = true
      await caughtUp(group, topic)
    })

    test('a stop that takes too long is told', async () => {
      const topic = await bench().topic()
      await bench().producer.send(numbered(topic, 0, 1, 1))
      const started = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const consumer = await run(bench().client, {
        group: uniqueName('group'),
        topic,
        process: () => {
          started.resolve()
          return release.promise
        },
      })
      await started.promise
      await expect(consumer.stop({ deadlineMs: 300 })).rejects.toMatchObject({ code: 'STOP_DEADLINE_PASSED' })
      release.resolve()
    })

    test('refuses a transaction that outlives the session', async () => {
      const topic = await bench().topic()
      const start = run(bench().client, {
        group: uniqueName('group'),
        topic,
        process: () => {},
        transactionTimeoutMs: 6000,
      })
      await expect(start).rejects.toMatchObject({ code: 'KAFKA_UNSUITABLE' })
    })
  })
}
