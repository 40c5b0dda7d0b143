import { plaintext } from '../../config/kafka-security.ts'
import { DEFAULT_STALL_TIMEOUT_MS, type KafkaClientOptions } from '../client-options.ts'
import type { KafkaClient } from '../kafka-types.ts'
import { createKafkaAdmin } from './admin.ts'
import { runAtLeastOnce } from './at-least-once.ts'
import { runExactlyOnce } from './exactly-once.ts'
import { createOpenNetwork } from './network.ts'
import { createPlainProducer } from './plain-producer.ts'
import { readRanges } from './range-reader.ts'
import { connectionSecurity } from './security.ts'
import { createTransactionalProducer } from './transactional-producer.ts'

/** The Kafka client of the house on the connections of @platformatic/kafka. Connects nothing by itself. */
export const createPlatformaticClient = (options: KafkaClientOptions): KafkaClient => {
  const { brokers, clientId, logger, compression = 'none', security = plaintext } = options
  const { stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS, onStep, beforeHeartbeat } = options
  const openNetwork = createOpenNetwork({ brokers, clientId, security: connectionSecurity(security) })

  return {
    runExactlyOnce: (run) =>
      runExactlyOnce({ logger, stallTimeoutMs, onStep, beforeHeartbeat, compression, openNetwork }, run),
    runAtLeastOnce: (run) => runAtLeastOnce({ logger, stallTimeoutMs, openNetwork }, run),
    readRanges: (range) => readRanges({ logger, openNetwork }, range),
    producer: () => createPlainProducer({ logger, compression, openNetwork }),
    transactionalProducer: (transaction) =>
      createTransactionalProducer({ logger, compression, openNetwork }, transaction),
    admin: () => createKafkaAdmin({ openNetwork }),
  }
}
