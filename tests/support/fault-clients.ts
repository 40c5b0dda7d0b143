import { defaultKafkaClient, type KafkaClientName, kafkaClientNames } from '../../src/config/kafka-schema.ts'

const named = process.env['FAULT_CLIENTS']?.split(',') ?? []

/** The clients that a fault is tried on: all of them, or those that FAULT_CLIENTS names (separated by commas). */
export const faultClients: readonly KafkaClientName[] =
  named.length === 0 ? kafkaClientNames : kafkaClientNames.filter((name) => named.includes(name))

/** The client for faults that do not depend on it: FAULT_CLIENTS may name another than the usual one. */
export const faultClient: KafkaClientName = faultClients.includes(defaultKafkaClient)
  ? defaultKafkaClient
  : (faultClients[0] ?? defaultKafkaClient)
