import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { KafkaClientName } from '../../src/config/kafka-schema.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaAdmin, LogEnd } from '../../src/kafka/kafka-types.ts'
import type { StepObserver } from '../../src/kafka/transaction-steps.ts'
import { type Copy, copyTo, eventsOf, expectCopied } from '../support/copy-through.ts'
import { eventually } from '../support/eventually.ts'
import { faultClients } from '../support/fault-clients.ts'
import { uniqueName } from '../support/kafka.ts'
import { CLEANUP_INTERVAL_MS, createOwnBroker, type OwnBroker } from '../support/own-broker.ts'
import type { DyingOrder } from '../support/programs/dying-copier.ts'
import { testLogger } from '../support/test-logger.ts'

const program = fileURLToPath(new URL('../support/programs/dying-copier.ts', import.meta.url))

/** The session is the longer one by far: what ends in time was ended by the time-out of the transaction. */
const LIMITS = { sessionTimeoutMs: 40_000, transactionTimeoutMs: 3000 }
/** For a busy machine; still far below what a client asks for that is not told a time-out. */
const MARGIN_MS = 12_000
const ABORTED_WITHIN_MS = LIMITS.transactionTimeoutMs + CLEANUP_INTERVAL_MS + MARGIN_MS

let broker: OwnBroker
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
})
afterEach(async () => {
  await Promise.allSettled(closing.splice(0).map((close) => close()))
})
afterAll(() => broker?.close())

/** A client, and the topics of a copy with events to be copied. */
const prepare = async (name: KafkaClientName, onStep?: StepObserver) => {
  const client = await createKafkaClient(name, {
    brokers: [broker.address],
    clientId: 'timed-out',
    logger: testLogger(),
    ...(onStep === undefined ? {} : { onStep }),
  })
  const copy: Copy = { input: uniqueName('topic'), output: uniqueName('topic'), group: uniqueName('group') }
  const [admin, producer] = [await client.admin(), await client.producer()]
  closing.push(producer.close, admin.close)
  await admin.ensureTopics(
    [copy.input, copy.output].map((topic) => ({ name: topic, partitions: 1, replicationFactor: 1 })),
  )
  const send = (from: number, to: number) => producer.send(eventsOf(copy.input, from, to, 1))
  return { client, copy, admin, send }
}

const endOf = async (admin: KafkaAdmin, topic: string, to: LogEnd): Promise<bigint | undefined> =>
  (await admin.offsetRanges(topic, to)).get(0)?.to

/** Something was written, and no transaction is open in it. */
const expectAllSettled = async (admin: KafkaAdmin, topic: string): Promise<void> => {
  const end = await endOf(admin, topic, 'end')
  expect(end).toBeGreaterThan(0n)
  expect(await endOf(admin, topic, 'stable-end')).toBe(end)
}

describe.each(faultClients)('a transaction of the client %s is over at its time-out', (name) => {
  test('where its worker died with all but the commit done, and nobody took over', async () => {
    const { copy, admin, send } = await prepare(name)
    await send(0, 10)
    const order: DyingOrder = { ...copy, ...LIMITS, brokers: broker.address, client: name, diesAt: 'offsets-sent' }
    const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit'] })
    closing.push(async () => child.kill('SIGKILL'))
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
    await eventually(() => expectAllSettled(admin, copy.output), { timeoutMs: ABORTED_WITHIN_MS, everyMs: 200 })
    await expectCopied({ brokers: broker.address, partitions: 1 }, copy.output, 0)
    expect(await admin.consumerLag(copy.group, copy.input)).toEqual(new Map([[0, 10n]]))
  })

  test('while its worker is held, which then copies the same records again and goes on', async () => {
    const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let holds = 0
    const { client, copy, admin, send } = await prepare(name, async (step) => {
      if (step !== 'sent' || ++holds > 1) return
      held.resolve()
      await release.promise
    })
    await send(0, 10)
    const aborted: string[] = []
    const consumer = await client.runExactlyOnce({
      group: copy.group,
      topic: copy.input,
      batchMaxRecords: 50,
      batchGoalMs: 1000,
      ...LIMITS,
      process: copyTo(copy.output),
      observer: { aborted: ({ code }) => aborted.push(code) },
    })
    consumer.done.catch(() => undefined)
    closing.push(() => {
      release.resolve()
      return consumer.stop({ deadlineMs: 10_000 })
    })
    const caughtUp = () =>
      eventually(async () => expect(await admin.consumerLag(copy.group, copy.input)).toEqual(new Map([[0, 0n]])))

    await held.promise
    await eventually(() => expectAllSettled(admin, copy.output), { timeoutMs: ABORTED_WITHIN_MS, everyMs: 200 })
    expect(aborted).toEqual([])
    release.resolve()
    await caughtUp()
    expect(aborted).toHaveLength(1)
    await send(10, 30)
    await caughtUp()
    await expectCopied({ brokers: broker.address, partitions: 1 }, copy.output, 30)
    await expectAllSettled(admin, copy.output)
  })
})
