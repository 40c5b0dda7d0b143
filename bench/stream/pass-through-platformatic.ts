/**
 * Copies a topic exactly once with @platformatic/kafka as it comes: its consumer stream and one of its transactional
 * producers per input partition, one transaction for up to 3,000 records, nothing decoded. Reads KAFKA_BROKERS,
 * PEER_GROUP, PEER_INPUT, PEER_OUTPUT.
 */
import { Consumer, type Message, Producer } from '@platformatic/kafka'

const { KAFKA_BROKERS, PEER_GROUP, PEER_INPUT, PEER_OUTPUT } = process.env as Record<string, string>
const CHUNK_RECORDS = 3000
const CHUNK_BYTES = 700_000
const BUFFERED_RECORDS = 9000
const common = {
  clientId: 'pass-through',
  bootstrapBrokers: KAFKA_BROKERS!.split(','),
  retries: 100,
  retryDelay: 5,
  timeout: 8000,
  strict: false,
}
type Record_ = Message<Buffer, Buffer, Buffer, Buffer>
const consumer = new Consumer({
  ...common,
  groupId: PEER_GROUP!,
  groupProtocol: 'classic',
  maxWaitTime: 20,
  maxBytes: 1_000_000,
  maxBytesPerPartition: 400_000,
  sessionTimeout: 10_000,
  heartbeatInterval: 1000,
  highWaterMark: 4096,
})
const stream = await consumer.consume({
  topics: [PEER_INPUT!],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: false,
})
const producers = new Map<number, Producer>()
const buffers = new Map<number, Record_[]>()
const busy = new Set<number>()

const producerOf = (partition: number): Producer => {
  let producer = producers.get(partition)
  if (producer === undefined) {
    producer = new Producer({
      ...common,
      idempotent: true,
      transactionalId: `${PEER_GROUP}-${PEER_INPUT}-${partition}`,
      producerId: -1n,
      producerEpoch: -1,
    })
    producers.set(partition, producer)
  }
  return producer
}

const flush = async (partition: number, buffer: Record_[]): Promise<void> => {
  busy.add(partition)
  while (buffer.length > 0) {
    let bytes = 0
    let count = 0
    while (count < buffer.length && count < CHUNK_RECORDS && bytes < CHUNK_BYTES)
      bytes += buffer[count++]!.value.length + 100
    const chunk = buffer.splice(0, count)
    const transaction = await producerOf(partition).beginTransaction()
    await transaction.send({
      messages: chunk.map(({ key, value }) => ({ topic: PEER_OUTPUT!, partition, key, value })),
    })
    await transaction.addConsumer(consumer)
    await transaction.addOffset(chunk.at(-1)!)
    await transaction.commit()
  }
  busy.delete(partition)
}

process.on('SIGTERM', () => process.exit(0))
console.log('ready')
for await (const message of stream) {
  const { partition } = message
  const buffer = buffers.get(partition) ?? []
  buffers.set(partition, buffer)
  buffer.push(message)
  if (!busy.has(partition)) {
    busy.add(partition)
    setImmediate(() =>
      flush(partition, buffer).catch((error: unknown) => {
        console.error(error)
        process.exit(1)
      }),
    )
  }
  while (buffer.length >= BUFFERED_RECORDS) await new Promise((resolve) => setTimeout(resolve, 1))
}
