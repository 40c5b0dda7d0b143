import { fetchRecords } from '../../src/kafka/kafkajs/columnar-fetch.ts'
import { createKafka } from '../../src/kafka/kafkajs/connection.ts'
import { clusterOf } from '../../src/kafka/kafkajs/internals.ts'
import { attribute, field } from '../../src/kafka/wire/batch-layout.ts'
import { readBatchHeader } from '../../src/kafka/wire/record-batch-reader.ts'
import { kafkaBrokers } from './kafka.ts'
import { testLogger } from './test-logger.ts'

/** How the first batches of a partition are compressed, by the numbers in their headers; markers are left out. */
export const codecsOf = async (topic: string, partition: number): Promise<Set<number>> => {
  const cluster = clusterOf(createKafka({ brokers: kafkaBrokers(), clientId: 'codecs', logger: testLogger() }))
  try {
    await cluster.connect()
    await cluster.addMultipleTargetTopics([topic])
    const leader = cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition)?.leader
    const broker = await cluster.findBroker({ nodeId: leader ?? -1 })
    const [fetched] = await fetchRecords(broker, topic, [{ partition, offset: 0n }])
    const found = new Set<number>()
    const records = fetched?.records ?? Buffer.alloc(0)
    for (let at = 0; at < records.length; ) {
      const header = readBatchHeader(records, at)
      if (header.kind !== 'batch') break
      const attributes = records.readInt16BE(at + field.attributes)
      if ((attributes & attribute.control) === 0) found.add(attributes & attribute.codec)
      at = header.end
    }
    return found
  } finally {
    await cluster.disconnect()
  }
}
