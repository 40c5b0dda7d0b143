/**
 * Copies a topic exactly once with kafkajs as it comes: a transactional producer per input partition, one transaction
 * for up to 3,000 records, nothing decoded. Reads KAFKA_BROKERS, PEER_GROUP, PEER_INPUT, PEER_OUTPUT.
 */
import { Kafka, logLevel, type Producer } from 'kafkajs'

const { KAFKA_BROKERS, PEER_GROUP, PEER_INPUT, PEER_OUTPUT } = process.env as Record<string, string>
const CHUNK_RECORDS = 3000
const kafka = new Kafka({
  clientId: 'pass-through',
  brokers: KAFKA_BROKERS!.split(','),
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 5, retries: 20 },
})
const consumer = kafka.consumer({
  groupId: PEER_GROUP!,
  sessionTimeout: 10_000,
  maxWaitTimeInMs: 20,
  maxBytesPerPartition: 400_000,
})
const producers = new Map<number, Promise<Producer>>()

const producerOf = (partition: number): Promise<Producer> => {
  const known = producers.get(partition)
  if (known !== undefined) return known
  const producer = kafka.producer({
    transactionalId: `${PEER_GROUP}-${PEER_INPUT}-${partition}`,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 8000,
  })
  const connected = producer.connect().then(() => producer)
  producers.set(partition, connected)
  return connected
}

process.on('warning', () => undefined)
process.on('SIGTERM', async () => {
  await consumer.disconnect()
  process.exit(0)
})
await consumer.connect()
await consumer.subscribe({ topic: PEER_INPUT!, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 8,
  eachBatch: async ({ batch, isRunning, isStale, heartbeat, resolveOffset }) => {
    const { partition, messages } = batch
    const producer = await producerOf(partition)
    for (let from = 0; from < messages.length && isRunning() && !isStale(); from += CHUNK_RECORDS) {
      const chunk = messages.slice(from, from + CHUNK_RECORDS)
      const last = chunk.at(-1)!.offset
      const transaction = await producer.transaction()
      await transaction.send({
        topic: PEER_OUTPUT!,
        messages: chunk.map(({ key, value }) => ({ key, value, partition })),
      })
      await transaction.sendOffsets({
        consumerGroupId: PEER_GROUP!,
        topics: [{ topic: PEER_INPUT!, partitions: [{ partition, offset: String(BigInt(last) + 1n) }] }],
      })
      await transaction.commit()
      resolveOffset(last)
      await heartbeat()
    }
  },
})
console.log('ready')
