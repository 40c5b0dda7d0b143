import type { Kafka } from 'kafkajs'
import type { Logger } from '../../telemetry/log.ts'
import { chunkSafetyMs } from '../chunk-limit.ts'
import type { AtLeastOnceOptions, RunningConsumer } from '../kafka-types.ts'
import { ownRecordsOf } from '../record-batch.ts'
import { startConsumerSession } from './consumer-session.ts'

const CHUNK_MAX_RECORDS = 2000

/** Handles chunks and then commits the offset that the handler asks for; after a failure the chunk comes again. */
export const runAtLeastOnce = (
  deps: { readonly logger: Logger; readonly reading: Kafka; readonly stallTimeoutMs: number },
  options: AtLeastOnceOptions,
): Promise<RunningConsumer> =>
  startConsumerSession({
    kafka: deps.reading,
    logger: deps.logger,
    group: options.group,
    topics: options.topics,
    sessionTimeoutMs: options.sessionTimeoutMs,
    chunkMaxRecords: CHUNK_MAX_RECORDS,
    // What these handlers wait for grows with the records; it does not hold the process.
    chunkGoalMs: options.sessionTimeoutMs / 4,
    chunkSafetyMs: chunkSafetyMs(options),
    stallTimeoutMs: deps.stallTimeoutMs,
    observer: options.observer,
    createWork: (topic, partition, consumer) => {
      let committed: bigint | null = null
      return {
        start: async (fetchedOffset) => {
          committed = null
          return fetchedOffset
        },
        handle: async (batch, nextOffset) => {
          const started = performance.now()
          const asked = await options.process(ownRecordsOf(batch))
          const processed = performance.now()
          const offset = asked === true ? nextOffset : asked
          if (offset !== committed) {
            await consumer.commitOffsets([{ topic, partition, offset: offset.toString() }])
            committed = offset
          }
          options.observer?.committed?.({
            ...{ topic, partition, nextOffset },
            records: batch.length,
            outputs: 0,
            transactions: 1,
            processMs: processed - started,
            commitMs: performance.now() - processed,
          })
          return processed - started
        },
        // Which offset is to be committed is the handler's decision.
        skip: async () => {},
        release: () => {},
      }
    },
    onEnd: async () => {},
  })
