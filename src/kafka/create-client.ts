import type { KafkaClientName } from '../config/kafka-schema.ts'
import type { KafkaClientOptions } from './client-options.ts'
import type { KafkaClient } from './kafka-types.ts'

/**
 * The Kafka client of that name. Connects nothing by itself. The library is loaded here and not before: a process
 * pays for the one that it uses.
 */
export const createKafkaClient = async (name: KafkaClientName, options: KafkaClientOptions): Promise<KafkaClient> => {
  switch (name) {
    case 'kafkajs':
      return (await import('./kafkajs/client.ts')).createKafkajsClient(options)
    case 'platformatic':
      return (await import('./platformatic/client.ts')).createPlatformaticClient(options)
  }
}
