import type { Kafka } from 'kafkajs'
import type { KafkaCompression } from '../../config/kafka-schema.ts'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { chunkSafetyMs } from '../chunk-limit.ts'
import { KafkaUnsuitable } from '../kafka-errors.ts'
import type { ExactlyOnceOptions, RunningConsumer } from '../kafka-types.ts'
import type { StepObserver } from '../transaction-steps.ts'
import { createBoundsWatch } from './bounds-watch.ts'
import { startConsumerSession } from './consumer-session.ts'
import { logStartOf } from './log-start.ts'
import type { PartitionWork } from './partition-loop.ts'
import { createStableOffsets } from './stable-offsets.ts'
import { createTransactionalWriter, type TransactionalWriter } from './transactional-writer.ts'

export type ExactlyOnceDeps = {
  readonly logger: Logger
  /** For the consumer. */
  readonly reading: Kafka
  /** Makes clients for the transactional producers; other ones, see `createKafka`. */
  readonly writing: () => Kafka
  readonly compression: KafkaCompression
  readonly stallTimeoutMs: number
  readonly onStep: StepObserver | undefined
}

/**
 * Something was written, perhaps: the same records must not be handed in again without a new start, as after an error
 * of the handler that may pass.
 */
const startOver = (cause: unknown): never => {
  if (cause instanceof AppError && cause.retryable) throw new Error('the transaction failed', { cause })
  throw cause
}

const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/**
 * One transaction per chunk and partition: outputs and next input offset together.
 *
 * The order on getting a partition is: fence, read the stable committed offset, go on from there. Fencing first means
 * that whatever an older owner committed is in that offset and that it can commit no more. It is the only fence:
 * kafkajs tells the broker neither member nor generation when it commits offsets in a transaction.
 */
export const runExactlyOnce = async (deps: ExactlyOnceDeps, options: ExactlyOnceOptions): Promise<RunningConsumer> => {
  const { logger, reading, writing, compression, stallTimeoutMs, onStep } = deps
  const { group, topic, sessionTimeoutMs, transactionTimeoutMs, process, bounds, observer } = options
  if (transactionTimeoutMs >= sessionTimeoutMs) {
    throw new KafkaUnsuitable(
      `transactionTimeoutMs (${transactionTimeoutMs}) has to be below sessionTimeoutMs (${sessionTimeoutMs}): a worker that lost its partitions must not hold their transactions open`,
    )
  }
  // Waiting longer would cost the membership: the loop tries again, with heartbeats in between.
  const offsets = createStableOffsets(writing(), { patienceMs: sessionTimeoutMs / 4 })
  const closing = new Set<Promise<void>>()

  const close = (writer: TransactionalWriter): void => {
    const closed = writer
      .close()
      .catch((error) => logger.debug(`closing a producer failed: ${describeError(error)}`))
      .finally(() => closing.delete(closed))
    closing.add(closed)
  }

  const firstOffsetOf = async (partition: number): Promise<bigint> =>
    maxOf(await logStartOf(writing(), topic, partition), bounds?.get(partition)?.from ?? 0n)

  const createWork = (_topic: string, partition: number): PartitionWork => {
    let writer: TransactionalWriter | undefined
    const release = (): void => {
      const old = writer
      writer = undefined
      if (old !== undefined) close(old)
    }
    const opened = (): TransactionalWriter => {
      if (writer === undefined) throw new Error(`the producer of ${topic}-${partition} was closed meanwhile`)
      return writer
    }
    return {
      release,
      start: async () => {
        release()
        const fresh = createTransactionalWriter({
          ...{ kafka: writing(), group, topic, partition, transactionTimeoutMs, compression, onStep },
        })
        writer = fresh
        await fresh.fence()
        const position = (await offsets.committed(group, topic, partition)) ?? (await firstOffsetOf(partition))
        await onStep?.('positioned', partition)
        return position
      },
      handle: async (batch, nextOffset) => {
        const started = performance.now()
        const handling = process(batch, opened().sink())
        // Most handlers are through already: a turn of the event loop less.
        if (handling !== undefined) await handling
        const processed = performance.now()
        const outputs = await opened().commit(nextOffset).catch(startOver)
        observer?.committed?.({
          ...{ topic, partition, outputs, nextOffset },
          records: batch.length,
          transactions: 1,
          processMs: processed - started,
          commitMs: performance.now() - processed,
        })
        return processed - started
      },
      skip: async (nextOffset) => {
        const empty = opened()
        empty.sink()
        await empty.commit(nextOffset).catch(startOver)
      },
    }
  }

  const watch = createBoundsWatch(bounds, (partition) => offsets.committed(group, topic, partition))
  const running = await startConsumerSession({
    kafka: reading,
    logger,
    group,
    topics: [topic],
    sessionTimeoutMs,
    chunkMaxRecords: options.batchMaxRecords,
    chunkGoalMs: options.batchGoalMs,
    chunkSafetyMs: chunkSafetyMs(options),
    stallTimeoutMs,
    bounds,
    observer,
    createWork,
    onReachedEnd: watch.reached,
    onEnd: async () => {
      watch.close()
      await Promise.all(closing)
      await offsets.close()
    },
  })
  watch.whenAllReached(() => {
    // It ends as any stop does; what goes wrong then is told by `done`.
    running.stop().catch((error) => logger.debug(`stopping at the end failed: ${describeError(error)}`))
  })
  return running
}
