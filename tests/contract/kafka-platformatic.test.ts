import { createPlatformaticClient } from '../../src/kafka/platformatic/client.ts'
import { kafkaBrokers } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'
import { describeKafkaClient } from './kafka-client.ts'

describeKafkaClient(
  'platformatic',
  (options) =>
    createPlatformaticClient({ brokers: kafkaBrokers(), clientId: 'contract', logger: testLogger(), ...options }),
  { keepsPartitions: true },
)
