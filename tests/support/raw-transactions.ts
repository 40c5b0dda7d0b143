import { Kafka, logLevel, Partitioners, type Producer, type Transaction } from 'kafkajs'
import { kafkaBrokers } from './kafka.ts'

/** A producer of transactions that a test may leave open, abort or interleave as no client of the house would. */
export type RawTransactions = {
  readonly begin: () => Promise<OpenTransaction>
  readonly close: () => Promise<void>
}

export type OpenTransaction = {
  readonly send: (topic: string, partition: number, ...values: readonly string[]) => Promise<void>
  readonly commit: () => Promise<void>
  readonly abort: () => Promise<void>
}

const opened = (transaction: Transaction): OpenTransaction => ({
  send: async (topic, partition, ...values) => {
    await transaction.send({ topic, messages: values.map((value) => ({ partition, key: value, value })) })
  },
  commit: () => transaction.commit(),
  abort: () => transaction.abort(),
})

export const createRawTransactions = async (transactionalId: string): Promise<RawTransactions> => {
  const kafka = new Kafka({ clientId: 'raw', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING })
  const producer: Producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 10, retries: 20 },
  })
  await producer.connect()
  return {
    begin: async () => opened(await producer.transaction()),
    close: () => producer.disconnect(),
  }
}
