import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plaintext } from '../../src/config/kafka-security.ts'
import type { ExactlyOnceOptions, RunningConsumer } from '../../src/kafka/kafka-types.ts'
import { createKafkajsClient } from '../../src/kafka/kafkajs/client.ts'
import { runExactlyOnce } from '../../src/kafka/platformatic/exactly-once.ts'
import { createOpenNetwork } from '../../src/kafka/platformatic/network.ts'
import { connectionSecurity } from '../../src/kafka/platformatic/security.ts'
import type { StepObserver, TransactionStep } from '../../src/kafka/transaction-steps.ts'
import { copyTo, keysOf, keysUpTo, numbered } from '../contract/kafka-contract.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, createKafkaBench, type KafkaBench, kafkaBrokers, uniqueName } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'

let bench: KafkaBench
beforeEach(async () => {
  bench = await createKafkaBench()
})
afterEach(() => bench.close())

type Run = Pick<ExactlyOnceOptions, 'group' | 'topic' | 'process' | 'observer'>

const LIMITS = { batchMaxRecords: 20, batchGoalMs: 1000, sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 }

const optionsOf = ({ observer, ...run }: Run): ExactlyOnceOptions => ({
  ...LIMITS,
  ...run,
  ...(observer === undefined ? {} : { observer }),
})

const run = async (order: Run & { implicitPartitions?: boolean; onStep?: StepObserver }): Promise<RunningConsumer> => {
  const { implicitPartitions = false, onStep, ...options } = order
  const security = connectionSecurity(plaintext)
  const openNetwork = createOpenNetwork({ brokers: kafkaBrokers(), clientId: 'protocols', security })
  const deps = { logger: testLogger(), openNetwork, compression: 'none', stallTimeoutMs: 60_000 } as const
  return bench.track(await runExactlyOnce({ ...deps, implicitPartitions, onStep }, optionsOf(options)))
}

const caughtUp = (group: string, topic: string): Promise<void> =>
  eventually(
    async () => {
      const lag = await bench.admin.consumerLag(group, topic)
      expect([...lag.values()].every((behind) => behind === 0n)).toBe(true)
    },
    { timeoutMs: 50_000, everyMs: 100 },
  )

describe('the newer protocol of transactions', () => {
  test('copies exactly once over steps that fail and a reply that is lost', async () => {
    const [topic, output] = [await bench.topic({ partitions: 2 }), await bench.topic({ partitions: 2 })]
    const group = uniqueName('group')
    await bench.producer.send(numbered(topic, 0, 400, 2))
    const failing: TransactionStep[] = ['begun', 'sent', 'offsets-sent', 'commit-sent', 'committed']
    const failed = new Set<string>()
    let steps = 0
    await run({
      ...{ group, topic, process: copyTo(output), implicitPartitions: true },
      onStep: (step, partition) => {
        const once = `${step} ${partition}`
        if (++steps % 7 !== 0 || failed.has(once) || !failing.includes(step)) return
        failed.add(once)
        throw new Error(`lost at ${step}`)
      },
    })
    await caughtUp(group, topic)
    expect(failed.size).toBeGreaterThanOrEqual(3)
    expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(400))
  })

  test('is taken up, and left again, by a worker that follows another', async () => {
    const [topic, output] = [await bench.topic(), await bench.topic()]
    const group = uniqueName('group')
    for (const [round, implicitPartitions] of [true, false, true].entries()) {
      await bench.producer.send(numbered(topic, round * 50, (round + 1) * 50, 1))
      const consumer = await run({ group, topic, process: copyTo(output), implicitPartitions })
      await caughtUp(group, topic)
      await consumer.stop()
    }
    expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(150))
  })
})

test('workers of both clients share a group while one kind takes the place of the other', async () => {
  const [topic, output] = [await bench.topic({ partitions: 4 }), await bench.topic({ partitions: 4 })]
  const group = uniqueName('group')
  const worked = { old: new Set<number>(), fresh: new Set<number>() }
  const observing = (who: Set<number>) => ({ committed: ({ partition }: { partition: number }) => who.add(partition) })
  const older = createKafkajsClient({ brokers: kafkaBrokers(), clientId: 'older', logger: testLogger() })
  const old = bench.track(
    await older.runExactlyOnce(optionsOf({ group, topic, process: copyTo(output), observer: observing(worked.old) })),
  )
  await run({ group, topic, process: copyTo(output), observer: observing(worked.fresh) })
  let sent = 0
  const feed = async (): Promise<void> => {
    await bench.producer.send(numbered(topic, sent, sent + 40, 4))
    sent += 40
    worked.old.clear()
    worked.fresh.clear()
    await caughtUp(group, topic)
  }
  await eventually(
    async () => {
      await feed()
      expect([worked.old.size, worked.fresh.size]).toEqual([2, 2])
    },
    { timeoutMs: 40_000 },
  )
  await old.stop()
  await eventually(
    async () => {
      await feed()
      expect(worked.fresh.size).toBe(4)
    },
    { timeoutMs: 40_000 },
  )
  expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(sent))
})
