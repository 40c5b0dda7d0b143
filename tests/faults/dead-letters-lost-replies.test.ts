import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaAdmin, KafkaClient } from '../../src/kafka/kafka-types.ts'
import { topicSpecs } from '../../src/kafka/topic-specs.ts'
import { topicsOf } from '../../streams/topics.ts'
import { faultClients } from '../support/fault-clients.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { createOwnBroker, type OwnBroker } from '../support/own-broker.ts'
import { letterOf, prepareWholeReplay } from '../support/replay-world.ts'
import { testLogger } from '../support/test-logger.ts'

// A replay whose transaction has an unknown outcome opens its id again and reads what is committed, in the same run.

const PARTITIONS = 2
/** They lie in three transactions. */
const LETTERS = 1200

let broker: OwnBroker
beforeAll(async () => {
  broker = await createOwnBroker()
  await broker.start()
})
afterAll(() => broker?.close())

describe.each(faultClients)('on %s', (name) => {
  let task: string
  let client: KafkaClient
  let admin: KafkaAdmin

  beforeEach(async () => {
    task = uniqueName('task')
    const topics = topicsOf(task)
    client = await createKafkaClient(name, { brokers: [broker.address], clientId: 'replay', logger: testLogger() })
    admin = await client.admin()
    const specs = topicSpecs(topics, { partitions: PARTITIONS, replicationFactor: 1 })
    await admin.ensureTopics(
      specs.filter((spec) => [topics.features.name, topics.deadLetters.name].includes(spec.name)),
    )
    const producer = await client.producer()
    await producer.send(Array.from({ length: LETTERS }, (_, i) => letterOf(task, i, PARTITIONS)))
    await producer.close()
  })
  afterEach(() => admin.close())

  const expectAllSentOnce = async (): Promise<void> => {
    const sent = await committedRecords(topicsOf(task).features.name, [broker.address])
    const expected = Array.from({ length: LETTERS }, (_, i) => `e${i}`)
    expect(sent.map(({ key }) => key).sort()).toEqual(expected.sort())
  }

  test('a replay sends each letter once when the reply to the end of a transaction is lost', async () => {
    let lost: Promise<void> | undefined
    const replay = await prepareWholeReplay(
      task,
      { client, admin },
      {
        // The end of the second transaction with letters.
        onProgress: () => {
          lost ??= broker.line.lose({ api: 'EndTxn', what: 'reply', connection: 'breaks' })
        },
      },
    )
    expect(await replay.send()).toMatchObject({ selected: LETTERS, sent: LETTERS })
    await lost
    await expectAllSentOnce()
  })

  test.each(['request', 'reply'] as const)(
    'a replay goes on by itself when a transaction is given up, of which every %s to end it was lost',
    async (what) => {
      let heal: (() => void) | undefined
      const notes: string[] = []
      const replay = await prepareWholeReplay(
        task,
        { client, admin },
        {
          onProgress: () => {
            heal ??= broker.line.loseAll({ api: 'EndTxn', what, connection: 'breaks' })
          },
          onNote: (note) => {
            notes.push(note)
            heal?.()
            heal = () => undefined
          },
        },
      )
      try {
        expect(await replay.send()).toMatchObject({ selected: LETTERS, sent: LETTERS })
      } finally {
        heal?.()
      }
      expect(notes).toEqual([expect.stringContaining('it is not known whether a transaction of')])
      await expectAllSentOnce()
    },
  )
})
