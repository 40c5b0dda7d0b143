import type { Kafka } from 'kafkajs'
import type { KafkaCompression } from '../../config/kafka-schema.ts'
import type { RecordSink } from '../kafka-types.ts'
import type { StepObserver } from '../transaction-steps.ts'
import { createBatchSink } from '../wire/record-sink.ts'
import { breakConnections } from './connection.ts'
import { protocolErrorType } from './protocol-errors.ts'
import { createTransactionWriter } from './transaction.ts'

export type TransactionalWriterOptions = {
  /** A client of this writer's own: its connections are broken when a request has no answer. */
  readonly kafka: Kafka
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly transactionTimeoutMs: number
  readonly compression: KafkaCompression
  readonly onStep: StepObserver | undefined
}

/** The one writer of the outputs and offsets of one input partition. */
export type TransactionalWriter = {
  /** Initialises the transactional id: older owners can write no more, and what they left open is aborted. */
  readonly fence: () => Promise<void>
  /** An empty sink, for the outputs of the next transaction. */
  readonly sink: () => RecordSink
  /**
   * Writes what the sink holds and the next input offset in one transaction. A failure at any step ends the writer.
   * @returns how many records were written
   */
  readonly commit: (nextOffset: bigint) => Promise<number>
  /** Closes the connections. Never aborts: the next fence does that, and cannot meet a later transaction. */
  readonly close: () => Promise<void>
}

export const createTransactionalWriter = (options: TransactionalWriterOptions): TransactionalWriter => {
  const { kafka, group, topic, partition, transactionTimeoutMs, compression, onStep } = options
  const transactionalId = `${group}-${topic}-${partition}`
  const transaction = createTransactionWriter({ kafka, transactionalId, transactionTimeoutMs })
  // Of this writer alone: a request that an older one left behind must not find other records in it.
  const sink = createBatchSink({ compression })

  /** A request without an answer leaves a connection on which nothing more may come. */
  const orBreak = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step
    } catch (error) {
      if (protocolErrorType(error) === undefined) breakConnections(kafka)
      throw error
    }
  }

  const commit = async (nextOffset: bigint): Promise<number> => {
    await onStep?.('begun', partition)
    const written = transaction.write(sink).then(() => onStep?.('sent', partition))
    // Beside the records: the coordinators need not wait for the leaders, nor these for them.
    await Promise.all([written, transaction.addOffset(group, topic, partition, nextOffset)])
    await onStep?.('offsets-sent', partition)
    const committed = transaction.commit()
    if (onStep !== undefined) {
      committed.catch(() => undefined)
      await onStep('commit-sent', partition)
    }
    await committed
    await onStep?.('committed', partition)
    return sink.records
  }

  return {
    fence: async () => {
      await orBreak(transaction.init())
      await onStep?.('fenced', partition)
    },
    sink: () => {
      sink.reset()
      return sink
    },
    commit: (nextOffset) => orBreak(commit(nextOffset)),
    close: transaction.close,
  }
}
