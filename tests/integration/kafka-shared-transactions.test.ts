import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OutgoingRecord, RecordBatch, RecordSink } from '../../src/kafka/kafka-types.ts'
import { createPlatformaticClient } from '../../src/kafka/platformatic/client.ts'
import { recordAt } from '../../src/kafka/record-batch.ts'
import type { TransactionStep } from '../../src/kafka/transaction-steps.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, createKafkaBench, type KafkaBench, kafkaBrokers, uniqueName } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'

const PARTITIONS = 4
const SESSION = { sessionTimeoutMs: 2000, transactionTimeoutMs: 1500 }

let bench: KafkaBench
beforeEach(async () => {
  bench = await createKafkaBench()
})
afterEach(() => bench.close())

const numberOf = (key: string | null): number => Number(key?.slice(1))

/** A topic that is copied by members of one group, a few records at a time. */
const createCopy = async () => {
  const topic = await bench.topic({ partitions: PARTITIONS })
  const output = await bench.topic({ partitions: PARTITIONS })
  const group = uniqueName('group')
  let sent = 0

  const feed = async (records: number): Promise<void> => {
    const next = Array.from({ length: records }, (_, i): OutgoingRecord => {
      const key = Buffer.from(`k${sent + i}`)
      return { topic, partition: (sent + i) % PARTITIONS, key, value: key }
    })
    sent += records
    await bench.producer.send(next)
  }

  const process = (batch: RecordBatch, sink: RecordSink): void => {
    for (let i = 0; i < batch.length; i++) {
      const { partition, key, value } = recordAt(batch, i)
      sink.add({ topic: output, partition, key, value })
    }
  }

  return {
    feed,
    /** Runs one more member. @param beforeHeartbeat held there it is expelled, and does not know */
    join: async (
      onStep: (step: TransactionStep, partition: number) => Promise<void> | void = () => undefined,
      beforeHeartbeat: () => Promise<void> | void = () => undefined,
    ) => {
      const transactions = new Map<number, number>()
      const aborted: string[] = []
      const consumer = await createPlatformaticClient({
        ...{ brokers: kafkaBrokers(), clientId: 'sharing', logger: testLogger(), onStep, beforeHeartbeat },
      }).runExactlyOnce({
        ...{ group, topic, ...SESSION, process, batchMaxRecords: 100, batchGoalMs: 1000 },
        observer: {
          aborted: ({ code }) => void aborted.push(code),
          committed: ({ transactions: made }) => void transactions.set(made, (transactions.get(made) ?? 0) + 1),
        },
      })
      bench.track(consumer)
      return { transactions, aborted }
    },
    caughtUp: () =>
      eventually(
        async () => {
          const lag = await bench.admin.consumerLag(group, topic)
          expect([...lag.values()].reduce((sum, own) => sum + own, 0n)).toBe(0n)
          expect(lag.size).toBe(PARTITIONS)
        },
        { timeoutMs: 30_000 },
      ),
    /** Every record once, and those of a partition in their order. */
    expectExactlyOnce: async (): Promise<void> => {
      const committed = await committedRecords(output)
      expect(committed.map(({ key }) => numberOf(key)).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: sent }, (_, i) => i),
      )
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const own = committed.filter((record) => record.partition === partition).map(({ key }) => numberOf(key))
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
    },
  }
}

/** Holds one shared transaction at a step. */
const createHold = (at: TransactionStep) => {
  const held = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  let parts: number[] = []
  let last: TransactionStep | undefined
  let armed = true
  return {
    held: held.promise,
    open: gate.resolve,
    isHeld: () => !armed,
    onStep: async (step: TransactionStep, partition: number): Promise<void> => {
      // One is under way at a time, and each step is told of each of its partitions.
      if (step === 'begun' && last !== 'begun') parts = []
      if (step === 'begun') parts.push(partition)
      last = step
      if (!armed || step !== at || parts.length < 2) return
      armed = false
      held.resolve()
      await gate.promise
    },
  }
}

/** Feeds a few records to all partitions, again and again, until the transaction is held. */
const feedUntil = async (copy: Awaited<ReturnType<typeof createCopy>>, hold: ReturnType<typeof createHold>) => {
  for (let round = 0; round < 500 && !hold.isHeld(); round++) await copy.feed(PARTITIONS)
  await hold.held
}

describe('partitions with little to commit', () => {
  test('share transactions', async () => {
    const copy = await createCopy()
    const { transactions } = await copy.join()
    for (let round = 0; round < 100; round++) await copy.feed(PARTITIONS)
    await copy.caughtUp()
    // Of two parts that were committed at least one took no transaction of its own.
    expect(transactions.get(0)).toBeGreaterThan(transactions.get(1) ?? 0)
    await copy.expectExactlyOnce()
  })

  test.each(['begun', 'sent', 'offsets-sent', 'commit-sent'] as const)(
    'share them safely with a member that was expelled unnoticed when one was %s',
    async (step) => {
      const copy = await createCopy()
      const hold = createHold(step)
      const heartbeats = Promise.withResolvers<void>()
      await copy.join(hold.onStep, () => (hold.isHeld() ? heartbeats.promise : undefined))
      await feedUntil(copy, hold)

      await copy.join()
      await copy.caughtUp()
      hold.open()
      heartbeats.resolve()
      await copy.feed(10 * PARTITIONS)
      await copy.caughtUp()
      await copy.expectExactlyOnce()
    },
  )

  test.each(['begun', 'sent', 'offsets-sent', 'commit-sent'] as const)(
    'share them safely with a member that gives some of them away when one was %s',
    async (step) => {
      const copy = await createCopy()
      const hold = createHold(step)
      const first = await copy.join(hold.onStep)
      await feedUntil(copy, hold)

      const second = await copy.join()
      await copy.feed(PARTITIONS)
      // The second one works on what it was given, as far as the transaction that is held lets it.
      if (step === 'begun' || step === 'sent')
        await eventually(() => expect(second.transactions.size).toBeGreaterThan(0))
      hold.open()
      await copy.feed(10 * PARTITIONS)
      await copy.caughtUp()
      await copy.expectExactlyOnce()
      // By its generation, or by whoever got the partition that led it; told once, and not for each of its partitions.
      if (step === 'begun' || step === 'sent') expect(first.aborted).toHaveLength(1)
    },
  )
})
