import { topicsOf } from '../../../streams/topics.ts'
import type { Config } from '../../config/config.ts'
import { createKafkaClient } from '../../kafka/create-client.ts'
import type { KafkaAdmin, KafkaClient } from '../../kafka/kafka-types.ts'
import { readEventSchemas } from '../../kafka/serde/avro-schemas.ts'
import { createSchemaRegistry, type SchemaRegistry } from '../../kafka/serde/schema-registry.ts'
import { createTaskCodecs, type TaskCodecs } from '../../kafka/serde/task-codecs.ts'
import { topicSpecs } from '../../kafka/topic-specs.ts'
import type { Logger } from '../../telemetry/log.ts'
import { packageFile } from '../package-root.ts'

export type KafkaParts = {
  readonly client: KafkaClient
  readonly admin: KafkaAdmin
  readonly schemas: SchemaRegistry
  readonly codecs: TaskCodecs
  readonly topics: ReturnType<typeof topicsOf>
}

/**
 * A Kafka client for one role, with the task's topics made and its schemas registered.
 * @throws KafkaUnavailable, SchemaRegistryUnavailable, SchemaRefused
 */
export const openKafka = async (config: Config, role: string, logger: Logger): Promise<KafkaParts> => {
  const { task, servers, paths, kafka } = config
  const client = await createKafkaClient(kafka.client, {
    brokers: servers.kafkaBrokers,
    clientId: `driftline-${task.task}-${role}`,
    logger,
    security: kafka.security,
    compression: kafka.compression,
  })
  const admin = await client.admin()
  try {
    const topics = topicsOf(task.task)
    await admin.ensureTopics(topicSpecs(topics, task.stream))
    const schemas = createSchemaRegistry({ url: servers.schemaRegistryUrl, cacheDir: paths.schemaCache, logger })
    const codecs = await createTaskCodecs({
      registry: schemas,
      schemas: await readEventSchemas(packageFile('schemas')),
      task: task.task,
      features: task.features,
      classes: task.target.type === 'classification' ? task.target.classes : null,
      maxEventBytes: task.stream.maxEventBytes,
      topics,
    })
    return { client, admin, schemas, codecs, topics }
  } catch (error) {
    await admin.close()
    throw error
  }
}
