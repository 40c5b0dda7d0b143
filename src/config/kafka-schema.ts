import { type Static, Type } from 'typebox'
import { strict } from './schema-parts.ts'

/** The Kafka clients of the house, by the name of their library. */
export const kafkaClientNames = ['kafkajs', 'platformatic'] as const

/** What runs where neither the task file nor the environment names a client. */
export const defaultKafkaClient: KafkaClientName = 'platformatic'

/** How batches may be compressed when they are written; all of them are read. */
export const kafkaCompressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const KafkaSchema = Type.Object(
  {
    client: Type.Enum([...kafkaClientNames], {
      default: defaultKafkaClient,
      description: 'The library that talks to Kafka; DRIFTLINE_KAFKA_CLIENT goes first.',
    }),
    compression: Type.Enum([...kafkaCompressions], {
      default: 'none',
      description: 'How what is written is compressed. Every compression is read, whatever stands here.',
    }),
  },
  { ...strict, default: {} },
)

export type KafkaClientName = (typeof kafkaClientNames)[number]
export type KafkaCompression = (typeof kafkaCompressions)[number]
export type KafkaSettings = Static<typeof KafkaSchema>
