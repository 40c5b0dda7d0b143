import type { KafkaClientName, KafkaCompression } from './kafka-schema.ts'
import type { KafkaSecurity } from './kafka-security.ts'
import type { TaskConfig } from './task-schema.ts'

/** Where the servers are. Every value comes from the environment or from the local stack. */
export type ServerAddresses = {
  /** host:port, one or more. */
  readonly kafkaBrokers: readonly string[]
  /** Base of the Confluent API, path included, without a slash at its end. */
  readonly schemaRegistryUrl: string
  readonly redisUrl: string
  /** Whether somebody named all of them; else they are the usual local ports, where perhaps nothing listens. */
  readonly named: boolean
}

/** What one process needs to know: the task, the servers, and its own places and ports. Frozen. */
export type Config = {
  readonly task: TaskConfig
  /** Absolute path of the task's configuration file. */
  readonly taskFile: string
  /** Absolute path of the dataset. */
  readonly datasetFile: string
  readonly servers: ServerAddresses
  readonly kafka: {
    /** What DRIFTLINE_KAFKA_CLIENT names, else the task file. */
    readonly client: KafkaClientName
    readonly compression: KafkaCompression
    readonly security: KafkaSecurity
  }
  readonly paths: {
    /** State of this checkout: `.driftline` unless DRIFTLINE_HOME says otherwise. */
    readonly home: string
    /** The artefact store of this task. */
    readonly artefacts: string
    /** The SQLite file of this task. */
    readonly history: string
    /** Avro schemas by id, kept on disk. */
    readonly schemaCache: string
  }
  readonly http: {
    readonly host: string
    /** Port of the ingress that the environment names, 0 for any free one; null where it names none. */
    readonly ingressPort: number | null
    /** Port of a role's /metrics and /health, in the same way. */
    readonly rolePort: number | null
  }
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Names this process in logs, metrics and acknowledgements. */
  readonly instanceId: string
}
