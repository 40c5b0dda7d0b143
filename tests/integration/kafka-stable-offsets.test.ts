import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plaintext } from '../../src/config/kafka-security.ts'
import { createKafka } from '../../src/kafka/kafkajs/connection.ts'
import { createStableOffsets, type StableOffsets } from '../../src/kafka/kafkajs/stable-offsets.ts'
import { createCoordinatorPort } from '../../src/kafka/platformatic/coordinator-port.ts'
import { createOpenNetwork } from '../../src/kafka/platformatic/network.ts'
import { connectionSecurity } from '../../src/kafka/platformatic/security.ts'
import { readStableOffsets } from '../../src/kafka/platformatic/stable-offsets.ts'
import { createKafkaBench, type KafkaBench, kafkaBrokers, uniqueName } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'

let bench: KafkaBench
beforeEach(async () => {
  bench = await createKafkaBench()
})
afterEach(() => bench.close())

/** How each client reads committed offsets. */
type Reader = (patienceMs: number) => StableOffsets

const kafkajsReader: Reader = (patienceMs) =>
  createStableOffsets(createKafka({ brokers: kafkaBrokers(), clientId: 'test', logger: testLogger() }), { patienceMs })

const platformaticReader: Reader = (patienceMs) => {
  const security = connectionSecurity(plaintext)
  const network = createOpenNetwork({ brokers: kafkaBrokers(), clientId: 'test', security })('stable-offsets')
  const connections = { cluster: network.cluster, pool: network.pool('offsets') }
  return {
    committed: async (group, topic, partition) => {
      const coordinator = createCoordinatorPort(connections, 'group', group)
      const found = await readStableOffsets({ group, topic, partitions: [partition], coordinator, patienceMs })
      return found.get(partition) ?? null
    },
    close: async () => network.close(),
  }
}

const plainKafka = () => new Kafka({ clientId: 'test', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING })

/** A transaction that has sent offsets and is not over. */
const openTransaction = async (group: string, topic: string, offset: string) => {
  const producer = plainKafka().producer({
    transactionalId: uniqueName('id'),
    maxInFlightRequests: 1,
    idempotent: true,
    transactionTimeout: 30_000,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ partition: 0, value: 'x' }] })
  await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition: 0, offset }] }] })
  return { transaction, close: () => producer.disconnect() }
}

describe.each([
  ['kafkajs', kafkajsReader],
  ['platformatic', platformaticReader],
])('the reader of the client %s', (_, offsetsWith) => {
  test('waits for the end of a transaction that commits offsets, where a plain read tells the old offset', async () => {
    const topic = await bench.topic({ partitions: 2 })
    const group = uniqueName('group')
    const offsets = offsetsWith(20_000)
    const admin = plainKafka().admin()
    await admin.connect()
    try {
      expect(await offsets.committed(group, topic, 0)).toBeNull()
      const { transaction, close } = await openTransaction(group, topic, '5')
      const plain = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      expect(plain[0]?.partitions[0]?.offset).toBe('-1')

      const impatient = offsetsWith(300)
      await expect(impatient.committed(group, topic, 0)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
      await impatient.close()
      // Another partition is not held up.
      expect(await offsets.committed(group, topic, 1)).toBeNull()

      let settled = false
      const waiting = offsets.committed(group, topic, 0).finally(() => {
        settled = true
      })
      expect(await offsets.committed(group, topic, 1)).toBeNull()
      expect(settled).toBe(false)
      await transaction.commit()
      expect(await waiting).toBe(5n)
      await close()
    } finally {
      await admin.disconnect()
      await offsets.close()
    }
  })

  test('an aborted transaction leaves the offset that was', async () => {
    const topic = await bench.topic()
    const group = uniqueName('group')
    const offsets = offsetsWith(20_000)
    const first = await openTransaction(group, topic, '3')
    await first.transaction.commit()
    const second = await openTransaction(group, topic, '9')
    const waiting = offsets.committed(group, topic, 0)
    await second.transaction.abort()
    expect(await waiting).toBe(3n)
    await Promise.all([first.close(), second.close(), offsets.close()])
  })
})
