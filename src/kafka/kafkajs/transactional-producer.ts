import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { KafkaCompression } from '../../config/kafka-schema.ts'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import { CommitUncertain, ProducerFenced, SendFailed } from '../kafka-errors.ts'
import type { OutgoingRecord, TransactionalProducer } from '../kafka-types.ts'
import { createBatchSink } from '../wire/record-sink.ts'
import { breakConnections } from './connection.ts'
import { isFenced, isHopeless, orUnavailable, protocolErrorType } from './protocol-errors.ts'
import { createTransactionWriter } from './transaction.ts'

export type TransactionalProducerDeps = {
  readonly logger: Logger
  /** A client of this producer's own: its connections are broken when a request has no answer. */
  readonly kafka: Kafka
  readonly compression: KafkaCompression
}

/** A request for each of the connections that may have broken together: to any broker, a coordinator, a new one. */
const RENEWAL_ATTEMPTS = 4
const BACKOFF = { firstMs: 20, maxMs: 300 }

/** @throws KafkaUnavailable, KafkaAccessDenied */
export const createTransactionalProducer = async (
  { logger, kafka, compression }: TransactionalProducerDeps,
  options: { readonly transactionalId: string; readonly transactionTimeoutMs: number },
): Promise<TransactionalProducer> => {
  const { transactionalId, transactionTimeoutMs } = options
  const transaction = createTransactionWriter({ kafka, transactionalId, transactionTimeoutMs })
  let ended: AppError | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const close = (): Promise<void> =>
    transaction.close().catch((error) => logger.debug(`closing a producer failed: ${describeError(error)}`))

  const end = (error: AppError): AppError => {
    ended = error
    void close()
    return error
  }

  const fenced = (cause: unknown): AppError =>
    end(
      new ProducerFenced(
        `${transactionalId} was opened by somebody else, or its transaction took longer than ${transactionTimeoutMs} ms`,
        { cause },
      ),
    )

  /** Takes the id anew. kafkajs takes a connection that just broke for an open one, until a request on it has failed. */
  const renew = async (): Promise<void> => {
    for (let failures = 1; ; failures++) {
      try {
        return await transaction.init()
      } catch (error) {
        const answered = protocolErrorType(error) !== undefined || error instanceof AppError
        if (answered || failures === RENEWAL_ATTEMPTS) throw error
      }
      await sleep(backoffMs(failures, Math.random(), BACKOFF))
    }
  }

  /**
   * Undoes what was written. With a new epoch, since brokers may have counted records that we have not.
   * @returns what ended the producer, if it did
   */
  const undo = async (): Promise<AppError | undefined> => {
    try {
      await renew()
      return undefined
    } catch (error) {
      if (isFenced(error)) return fenced(error)
      return end(new SendFailed(`${transactionalId} has to be opened again: ${describeError(error)}`, { cause: error }))
    }
  }

  const commit = async (records: readonly OutgoingRecord[]): Promise<void> => {
    if (ended !== undefined) throw ended
    if (records.length === 0) return
    const what = `a transaction of ${records.length} records under ${transactionalId}`
    try {
      // A new one each time: a request that was given up may still look into an older one.
      const sink = createBatchSink({ compression })
      for (const record of records) sink.add(record)
      await transaction.write(sink)
    } catch (error) {
      if (isFenced(error)) throw fenced(error)
      if (protocolErrorType(error) === undefined && !(error instanceof AppError)) breakConnections(kafka)
      const ending = await undo()
      if (ending instanceof ProducerFenced) throw ending
      const passes = error instanceof AppError ? error.retryable : !isHopeless(error)
      const retryable = ending === undefined && passes
      throw new SendFailed(`${what} was not written: ${describeError(error)}`, { cause: error, retryable })
    }
    try {
      await transaction.commit()
    } catch (error) {
      // An answer says that it was not committed; without one nobody knows.
      if (isFenced(error)) throw fenced(error)
      throw end(new CommitUncertain(what, error))
    }
  }

  try {
    await orUnavailable(`${transactionalId} cannot be opened`, transaction.init())
  } catch (error) {
    await close()
    throw error
  }

  return {
    commit: (records) => {
      const done = turn.then(() => commit(records))
      turn = done.catch(() => undefined)
      return done
    },
    close: async () => {
      ended ??= new SendFailed(`the producer of ${transactionalId} is closed`)
      await close()
    },
  }
}
