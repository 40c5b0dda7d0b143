import { expect, test } from 'vitest'
import { createKafkajsClient } from '../../src/kafka/kafkajs/client.ts'
import { createTcpProxy } from '../support/tcp-proxy.ts'
import { testLogger } from '../support/test-logger.ts'

test('a Kafka that is not there is an error with a code, for whatever was asked of it', async () => {
  const line = await createTcpProxy({ host: '127.0.0.1', port: 1 })
  line.cut()
  const client = createKafkajsClient({ brokers: [`127.0.0.1:${line.port}`], clientId: 'test', logger: testLogger() })
  const session = { group: 'g', sessionTimeoutMs: 6000 }
  try {
    const asked = await Promise.allSettled([
      client.admin(),
      client.producer(),
      client.runAtLeastOnce({ ...session, topics: ['t'], process: async () => true }),
      client.runExactlyOnce({
        ...session,
        topic: 't',
        batchMaxRecords: 1,
        batchGoalMs: 50,
        transactionTimeoutMs: 1000,
        process: () => undefined,
      }),
    ])
    for (const result of asked) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'KAFKA_UNAVAILABLE', retryable: true } })
    }
  } finally {
    await line.close()
  }
})
