import { DEFAULT_STALL_TIMEOUT_MS, type KafkaClientOptions } from '../client-options.ts'
import type { KafkaClient } from '../kafka-types.ts'
import { createKafkaAdmin } from './admin.ts'
import { runAtLeastOnce } from './at-least-once.ts'
import { createKafka } from './connection.ts'
import { runExactlyOnce } from './exactly-once.ts'
import { createPlainProducer } from './producer.ts'
import { readRanges } from './range-reader.ts'
import { kafkajsSecurity } from './security.ts'
import { createTransactionalProducer } from './transactional-producer.ts'

/** The Kafka client of the house on kafkajs. Connects nothing by itself. */
export const createKafkajsClient = (options: KafkaClientOptions): KafkaClient => {
  const { brokers, clientId, logger, stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS, onStep, compression = 'none' } = options
  const security = kafkajsSecurity(options.security)
  const connect = (role: string, requestTimeoutMs?: number) =>
    createKafka({
      brokers,
      clientId: `${clientId}-${role}`,
      logger,
      security,
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    })

  return {
    runExactlyOnce: (run) =>
      runExactlyOnce(
        {
          logger,
          stallTimeoutMs,
          compression,
          onStep,
          reading: connect('read'),
          // A request without an answer must not outlive the transaction that it belongs to.
          writing: () => connect('write', run.transactionTimeoutMs),
        },
        run,
      ),
    runAtLeastOnce: (run) => runAtLeastOnce({ logger, stallTimeoutMs, reading: connect('read') }, run),
    producer: async () => {
      const admin = await createKafkaAdmin(connect('produce-admin'))
      const deps = { logger, compression, partitionsOf: admin.partitionsOf }
      const producer = await createPlainProducer(connect('produce'), deps).catch(async (error: unknown) => {
        await admin.close()
        throw error
      })
      return {
        send: producer.send,
        close: async () => {
          await Promise.allSettled([producer.close(), admin.close()])
        },
      }
    },
    readRanges: (range) => readRanges(connect('range'), range),
    transactionalProducer: (transaction) => {
      const kafka = connect('transaction', transaction.transactionTimeoutMs)
      return createTransactionalProducer({ logger, kafka, compression }, transaction)
    },
    admin: () => createKafkaAdmin(connect('admin')),
  }
}
