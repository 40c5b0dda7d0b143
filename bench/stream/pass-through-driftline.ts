/**
 * Copies a topic exactly once through the Kafka layer of this house: what is left of the scoring worker when nothing is
 * decoded, scored or encoded. Reads KAFKA_BROKERS, DRIFTLINE_KAFKA_CLIENT, PEER_GROUP, PEER_INPUT, PEER_OUTPUT.
 */
import type { KafkaClientName } from '../../src/config/kafka-schema.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const { KAFKA_BROKERS, DRIFTLINE_KAFKA_CLIENT, PEER_GROUP, PEER_INPUT, PEER_OUTPUT } = process.env as Record<
  string,
  string
>
const client = await createKafkaClient(DRIFTLINE_KAFKA_CLIENT as KafkaClientName, {
  brokers: KAFKA_BROKERS!.split(','),
  clientId: 'pass-through',
  logger: createLogger({ name: 'bench', level: 'warn', instanceId: 'pass-through' }),
})
const scratch = Buffer.alloc(1 << 20)
const consumer = await client.runExactlyOnce({
  group: PEER_GROUP!,
  topic: PEER_INPUT!,
  batchMaxRecords: 5000,
  batchGoalMs: 200,
  sessionTimeoutMs: 10_000,
  transactionTimeoutMs: 8000,
  process: (batch, sink) => {
    const { partition, bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const lane = sink.lane(PEER_OUTPUT!, partition, 'copied')
    for (let i = 0; i < batch.length; i++) {
      const end = bytes.copy(scratch, 0, valueStarts[i]!, valueEnds[i]!)
      lane.append(bytes, keyStarts[i]!, keyEnds[i]!, scratch, 0, end, end)
    }
  },
})
process.on('SIGTERM', async () => {
  await consumer.stop()
  process.exit(0)
})
console.log('ready')
await consumer.done
