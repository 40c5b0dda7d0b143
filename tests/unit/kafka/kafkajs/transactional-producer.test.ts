import { expect, test } from 'vitest'
import type { InternalBroker } from '../../../../src/kafka/kafkajs/internals.ts'
import { createTransactionalProducer } from '../../../../src/kafka/kafkajs/transactional-producer.ts'
import { kafkaWithClusters, protocolError } from '../../../support/fake-kafkajs-cluster.ts'
import { testLogger } from '../../../support/test-logger.ts'

/** Two brokers, of which one leads the topic; clients know who does when they ask. */
const createBrokers = () => {
  let leader = 1
  let known = leader
  let epoch = 0
  const log: string[] = []
  const brokerOf = (nodeId: number) =>
    ({
      versions: null,
      connectionPool: {
        // Never authenticated: everything goes by `send`.
        getConnection: async () => ({ sasl: {}, isAuthenticated: () => false }),
        send: async ({ request: { apiName } }: { request: { apiName: string } }) => {
          log.push(`${apiName} to ${nodeId}`)
          if (apiName === 'InitProducerId') return { producerId: '7', producerEpoch: epoch++ }
          if (nodeId !== leader) throw protocolError('NOT_LEADER_FOR_PARTITION')
          return undefined
        },
      },
      addPartitionsToTxn: async () => undefined,
      endTxn: async () => log.push('EndTxn'),
    }) as unknown as InternalBroker
  const kafka = kafkaWithClusters(() => ({
    refreshMetadata: async () => {
      known = leader
    },
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: known }],
    findBroker: async ({ nodeId }) => brokerOf(nodeId),
    findGroupCoordinator: async () => brokerOf(0),
  }))
  const open = () =>
    createTransactionalProducer(
      { logger: testLogger(), kafka, compression: 'none' },
      { transactionalId: 'id', transactionTimeoutMs: 1000 },
    )
  return {
    log,
    open,
    moveLeader: () => {
      leader = 3 - leader
    },
  }
}

const record = { topic: 't', partition: 0, key: null, value: Buffer.from('v') }

test('after the leader moved, the next attempt goes to the new one', async () => {
  const { log, open, moveLeader } = createBrokers()
  const producer = await open()
  await producer.commit([record])
  moveLeader()
  await expect(producer.commit([record])).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: true })
  await producer.commit([record])
  await producer.close()
  expect(log).toEqual([
    ...['InitProducerId to 0', 'Produce to 1', 'EndTxn'],
    ...['Produce to 1', 'InitProducerId to 0'],
    ...['Produce to 2', 'EndTxn'],
  ])
})

test('a record that no batch may hold is not to be tried again', async () => {
  const { open } = createBrokers()
  const producer = await open()
  const huge = { ...record, value: Buffer.alloc(5 * 1024 * 1024) }
  await expect(producer.commit([huge])).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: false })
  await producer.commit([record])
  await producer.close()
})
