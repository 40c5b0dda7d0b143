import { createKafkajsClient } from '../../src/kafka/kafkajs/client.ts'
import { kafkaBrokers } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'
import { describeKafkaClient } from './kafka-client.ts'

describeKafkaClient(
  'kafkajs',
  (options) => createKafkajsClient({ brokers: kafkaBrokers(), clientId: 'contract', logger: testLogger(), ...options }),
  // It drops everything at each rebalance, and joins anew.
  { keepsPartitions: false },
)
