import { describe } from 'vitest'
import { describeKafkaAborted } from './kafka-aborted.ts'
import { describeKafkaAdminAndProducer } from './kafka-admin-producer.ts'
import { describeKafkaAtLeastOnce } from './kafka-at-least-once.ts'
import { describeKafkaBounds } from './kafka-bounds.ts'
import { describeKafkaCompressions } from './kafka-compressions.ts'
import { createKafkaContract, type KafkaClientFactory, type KafkaClientTraits } from './kafka-contract.ts'
import { describeKafkaExactlyOnce } from './kafka-exactly-once.ts'
import { describeKafkaFlow } from './kafka-flow.ts'
import { describeKafkaObserver } from './kafka-observer.ts'
import { describeKafkaRanges } from './kafka-ranges.ts'
import { describeKafkaRebalances } from './kafka-rebalances.ts'
import { describeKafkaRecovery } from './kafka-recovery.ts'
import { describeKafkaSharedReading } from './kafka-shared-reading.ts'
import { describeKafkaTransactions } from './kafka-transactions.ts'

/** What every Kafka client of the house has to do. */
export const describeKafkaClient = (name: string, create: KafkaClientFactory, traits: KafkaClientTraits): void => {
  describe(`kafka client: ${name}`, () => {
    const contract = createKafkaContract(create, traits)
    describeKafkaAdminAndProducer(contract)
    describeKafkaExactlyOnce(contract)
    describeKafkaFlow(contract)
    describeKafkaBounds(contract)
    describeKafkaCompressions(contract)
    describeKafkaAborted(contract)
    describeKafkaRebalances(contract)
    describeKafkaRecovery(contract)
    describeKafkaObserver(contract)
    describeKafkaAtLeastOnce(contract)
    describeKafkaSharedReading(contract)
    describeKafkaRanges(contract)
    describeKafkaTransactions(contract)
  })
}
