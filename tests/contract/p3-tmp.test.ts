import { describe } from 'vitest'
import { createPlatformaticClient } from '../../src/kafka/platformatic/client.ts'
import { createKafkajsClient } from '../../src/kafka/kafkajs/client.ts'
import { kafkaBrokers } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'
import { createKafkaContract } from './kafka-contract.ts'
import { describeKafkaRanges } from './kafka-ranges.ts'
import { describeKafkaTransactions } from './kafka-transactions.ts'
import { describeKafkaAdminAndProducer } from './kafka-admin-producer.ts'
for (const [name, create] of [['platformatic', createPlatformaticClient], ['kafkajs', createKafkajsClient]] as const)
  describe(name, () => {
    const contract = createKafkaContract((options) => create({ brokers: kafkaBrokers(), clientId: 'c', logger: testLogger(), ...options }))
    describeKafkaAdminAndProducer(contract)
    describeKafkaRanges(contract)
    describeKafkaTransactions(contract)
  })
