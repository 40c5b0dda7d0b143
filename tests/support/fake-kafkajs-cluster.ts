import type { Kafka } from 'kafkajs'
import type { InternalCluster } from '../../src/kafka/kafkajs/internals.ts'

/** An error as kafkajs makes it of what a broker says. */
export const protocolError = (type: string): Error => Object.assign(new Error(type), { type })

/** A client of kafkajs whose connections are what `create` makes. */
export const kafkaWithClusters = (create: () => Partial<InternalCluster>): Kafka =>
  ({
    [Symbol('private:Kafka:createCluster')]: () => ({
      connect: async () => undefined,
      disconnect: async () => undefined,
      refreshMetadata: async () => undefined,
      refreshMetadataIfNecessary: async () => undefined,
      addMultipleTargetTopics: async () => undefined,
      ...create(),
    }),
  }) as unknown as Kafka
