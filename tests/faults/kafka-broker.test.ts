import { setTimeout as later } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKafka } from '../../src/kafka/kafkajs/connection.ts'
import { createStableOffsets } from '../../src/kafka/kafkajs/stable-offsets.ts'
import { type CopyOptions, copyThrough, type Strike } from '../support/copy-through.ts'
import { eventually } from '../support/eventually.ts'
import { faultClients } from '../support/fault-clients.ts'
import { uniqueName } from '../support/kafka.ts'
import type { Loss } from '../support/kafka-line.ts'
import { createOwnBroker, type OwnBroker } from '../support/own-broker.ts'
import { testLogger } from '../support/test-logger.ts'

/** A reply is waited for as long as its transaction may last, and a member as long as its session. */
const SHORT = { sessionTimeoutMs: 3000, transactionTimeoutMs: 2000 }

let broker: OwnBroker
beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
})
afterAll(() => broker?.close())

const restart: Strike = async () => {
  await broker.kill()
  await broker.start()
}

const breakLine: Strike = async () => {
  broker.line.cut()
  await later(300)
  broker.line.heal()
}

/** Loses one exchange. It must come to pass: the records before the next fault go through after it. */
const lose =
  (loss: Loss): Strike =>
  () =>
    broker.line.lose(loss)

/** The way back from a lost commit, on which each step is lost as well. */
const loseOnTheWayBack: Strike = async () => {
  const wayBack = (['InitProducerId', 'OffsetFetch', 'Fetch'] as const).map((api) =>
    broker.line.lose({ api, what: 'reply', connection: 'breaks' }),
  )
  await Promise.all([broker.line.lose({ api: 'EndTxn', what: 'reply', connection: 'breaks' }), ...wayBack])
}

describe.each(faultClients)('the client %s copies exactly once', (client) => {
  const copy = (strikes: readonly Strike[], options: Partial<CopyOptions> = {}) =>
    copyThrough({ brokers: broker.address, client, strikes, ...options })

  test('over a broker that is killed in the middle of transactions and comes back', async () => {
    await copy([restart])
  })

  test('over connections that break', async () => {
    await copy([breakLine, breakLine, breakLine])
  })

  test('over a network that loses everything for longer than a session lasts', async () => {
    const loseEverything: Strike = async () => {
      broker.line.stall()
      await later(SHORT.sessionTimeoutMs + 1500)
      broker.line.heal()
    }
    await copy([loseEverything], SHORT)
  })

  test('over requests and replies that are lost with their connection', async () => {
    const steps = ['Produce', 'TxnOffsetCommit', 'EndTxn'] as const
    const losses = steps.flatMap((api) =>
      (['request', 'reply'] as const).map((what) => lose({ api, what, connection: 'breaks' })),
    )
    await copy([...losses, loseOnTheWayBack], { count: 9000 })
  })

  test('over replies that never come, on connections that stay open', async () => {
    const losses = (['Produce', 'TxnOffsetCommit', 'EndTxn'] as const).map((api) =>
      lose({ api, what: 'reply', connection: 'stays' }),
    )
    await copy(losses, SHORT)
  })
})

test('committed offsets can be read again after the network came back, though its old connections are dead', async () => {
  const kafka = createKafka({
    brokers: [broker.address],
    clientId: 'test',
    logger: testLogger(),
    requestTimeoutMs: 1000,
  })
  const [group, topic] = [uniqueName('group'), uniqueName('topic')]
  // The patience ends before the request does: the connection has to be given up all the same.
  const offsets = createStableOffsets(kafka, { patienceMs: 300 })
  await eventually(async () => expect(await offsets.committed(group, topic, 0)).toBeNull())
  broker.line.stall()
  await expect(offsets.committed(group, topic, 0)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
  broker.line.heal()
  await eventually(async () => expect(await offsets.committed(group, topic, 0)).toBeNull(), { timeoutMs: 10_000 })
  await offsets.close()
})
