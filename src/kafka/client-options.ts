import type { KafkaCompression } from '../config/kafka-schema.ts'
import type { KafkaSecurity } from '../config/kafka-security.ts'
import type { Logger } from '../telemetry/log.ts'
import type { HeartbeatGate, StepObserver } from './transaction-steps.ts'

/** What every Kafka client of the house is made with. */
export type KafkaClientOptions = {
  /** host:port, one or more. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly logger: Logger
  /** Neither TLS nor SASL without it. */
  readonly security?: KafkaSecurity
  /** Of what is written; none without it. */
  readonly compression?: KafkaCompression
  /** A consumer whose records wait for this long without one going through ends with CONSUMER_STALLED. */
  readonly stallTimeoutMs?: number
  /** Told, and waited for, at each step of a transaction: for tests that stop or kill a worker there. */
  readonly onStep?: StepObserver
  /** For tests of a member that is expelled without a notice. Not asked by kafkajs, whose steps hold up its heartbeats. */
  readonly beforeHeartbeat?: HeartbeatGate
}

export const DEFAULT_STALL_TIMEOUT_MS = 120_000
