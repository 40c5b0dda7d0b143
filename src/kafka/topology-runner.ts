import type { Topology } from '../topology.ts'
import type { BatchReader, BatchWriter, FailedRecords } from './batch-stages.ts'
import { openDeadLetterTopic } from './dead-letter-topic.ts'
import { type DeadLetterReason, deadLetterOf } from './dead-letters.ts'
import { KafkaUnsuitable } from './kafka-errors.ts'
import type { ExactlyOnceOptions, KafkaClient, RecordBatch, RecordSink, RunningConsumer } from './kafka-types.ts'
import { createPendingAttempts } from './pending-attempts.ts'
import { recordAt } from './record-batch.ts'

/** A record that became a dead letter. */
export type RunDeadLetter = { readonly offset: number; readonly reason: DeadLetterReason }

/** What became of one batch of one partition. */
export type RunBatch<S> = {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Records that the writer wrote; dead letters do not count. */
  readonly outputs: number
  readonly deadLetters: readonly RunDeadLetter[]
  /** Timestamp of the oldest record, ms since the epoch. */
  readonly oldestTimestamp: number
  /** When the batch was ready to be written, ms since the epoch. */
  readonly processedAt: number
  /** Waiting for a schema is in none of them. */
  readonly decodeMs: number
  readonly scoreMs: number
  /** Dead letters included. */
  readonly encodeMs: number
  /** What `summarise` told of it; null where no record could be decoded. */
  readonly summary: S | null
}

export type CommittedRunBatch<S> = RunBatch<S> & {
  /** From the end of the processing. */
  readonly commitMs: number
  readonly nextOffset: bigint
}

export type RunTopologyOptions<I, O, S> = {
  readonly client: Pick<KafkaClient, 'runExactlyOnce' | 'admin'>
  /** Reads one topic. Its outputs go to the partition of their input, so what it writes needs as many partitions. */
  readonly topology: Topology<I, O>
  readonly group: string
  readonly reader: BatchReader<I>
  readonly writer: BatchWriter<I, O>
  /** Where records go that have no output for a reason; null where they are only told of. */
  readonly deadLetterTopic: string | null
  readonly limits: Pick<
    ExactlyOnceOptions,
    'batchMaxRecords' | 'batchGoalMs' | 'sessionTimeoutMs' | 'transactionTimeoutMs'
  >
  readonly bounds?: ExactlyOnceOptions['bounds']
  readonly observer?: ExactlyOnceOptions['observer']
  readonly now: () => number
  /** What is to be known of a batch once it is committed: rows and result are gone by then, so it may keep neither. */
  readonly summarise: (rows: I, result: O) => S
  /** Told after each attempt, also one that does not commit. */
  readonly onProcessed?: (batch: RunBatch<S>) => void
  /** Told after the commit. */
  readonly onCommitted?: (batch: CommittedRunBatch<S>) => void
}

const NONE_FAILED: FailedRecords = new Map()

/** The topics' partition counts that the run depends on. @throws KafkaUnsuitable */
const checkPartitions = async (
  client: Pick<KafkaClient, 'admin'>,
  input: string,
  outputs: readonly string[],
  deadLetters: string | null,
) => {
  const admin = await client.admin()
  try {
    const partitions = await admin.partitionsOf(input)
    for (const output of outputs) {
      const found = await admin.partitionsOf(output)
      if (found < partitions) {
        throw new KafkaUnsuitable(
          `${output} has ${found} partitions and ${input} has ${partitions}; an output keeps the partition of its input, so add partitions to ${output}`,
        )
      }
    }
    return deadLetters === null ? null : await openDeadLetterTopic(admin, deadLetters)
  } finally {
    await admin.close()
  }
}

const oldestOf = ({ timestamps, length }: RecordBatch): number => {
  let oldest = length === 0 ? 0 : timestamps[0]!
  for (let i = 1; i < length; i++) oldest = Math.min(oldest, timestamps[i]!)
  return oldest
}

/** Both, in the order of the records. */
const merged = (unread: FailedRecords, unwritten: FailedRecords): readonly (readonly [number, DeadLetterReason])[] =>
  unread.size + unwritten.size === 0 ? [] : [...unread, ...unwritten].sort(([a], [b]) => a - b)

/**
 * Runs a topology exactly once: for each batch of a partition its outputs, its dead letters and the next input offset
 * are written in one transaction. A record that cannot be decoded, or that the topology refuses, becomes a dead letter
 * and stops nobody. When `process` throws a retryable AppError (no model yet, the schema registry is down) the
 * partition waits; any other error is tried again and in the end rejects `done`.
 * @throws KafkaUnsuitable
 */
export const runTopology = async <I extends { readonly length: number }, O, S>(
  options: RunTopologyOptions<I, O, S>,
): Promise<RunningConsumer> => {
  const { client, topology, group, reader, writer, limits, bounds, observer, now } = options
  const { summarise, onProcessed, onCommitted } = options
  const input = topology.reads[0]
  if (input === undefined || topology.reads.length !== 1) {
    throw new KafkaUnsuitable(`topology ${topology.name} reads ${topology.reads.length} topics; exactly one can be run`)
  }
  const outputs = topology.writes.map((topic) => topic.name)
  const deadLetters = await checkPartitions(client, input.name, outputs, options.deadLetterTopic)
  const attempts = createPendingAttempts<{ batch: RunBatch<S>; finished: number }>()

  const addDeadLetter = (
    batch: RecordBatch,
    place: number,
    reason: DeadLetterReason,
    failedAt: number,
    sink: RecordSink,
  ): RunDeadLetter => {
    if (deadLetters !== null) sink.add(deadLetterOf(recordAt(batch, place), reason, { ...deadLetters, failedAt }))
    return { offset: batch.offsets[place]!, reason }
  }

  const processPrepared = (batch: RecordBatch, sink: RecordSink): void => {
    const { topic, partition, length } = batch
    const started = performance.now()
    const { rows, failures } = reader.read(batch)
    const decoded = performance.now()
    let scored = decoded
    let written: { outputs: number; failures: FailedRecords } = { outputs: 0, failures: NONE_FAILED }
    let summary: S | null = null
    // Records of which none can be decoded need no model.
    if (rows.length > 0) {
      const result = topology.process(rows)
      scored = performance.now()
      written = writer.write(rows, result, batch, sink)
      summary = summarise(rows, result)
    }
    const processedAt = now()
    const letters = merged(failures, written.failures).map(([place, reason]) =>
      addDeadLetter(batch, place, reason, processedAt, sink),
    )
    const finished = performance.now()
    const told: RunBatch<S> = {
      ...{ topic, partition, records: length, outputs: written.outputs, deadLetters: letters, summary, processedAt },
      oldestTimestamp: oldestOf(batch),
      decodeMs: decoded - started,
      scoreMs: scored - decoded,
      encodeMs: finished - scored,
    }
    if (length > 0) attempts.add(partition, batch.offsets[0]!, batch.offsets[length - 1]!, { batch: told, finished })
    onProcessed?.(told)
  }

  return client.runExactlyOnce({
    group,
    topic: input.name,
    batchMaxRecords: limits.batchMaxRecords,
    batchGoalMs: limits.batchGoalMs,
    sessionTimeoutMs: limits.sessionTimeoutMs,
    transactionTimeoutMs: limits.transactionTimeoutMs,
    ...(bounds === undefined ? {} : { bounds }),
    process: (batch, sink) => {
      const waiting = reader.prepare(batch)
      if (waiting === undefined) return processPrepared(batch, sink)
      return waiting.then(() => processPrepared(batch, sink))
    },
    observer: {
      ...observer,
      committed: (commit) => {
        observer?.committed?.(commit)
        const { partition, nextOffset } = commit
        const attempt = attempts.committed(partition, nextOffset)
        if (attempt !== undefined) {
          onCommitted?.({ ...attempt.batch, nextOffset, commitMs: performance.now() - attempt.finished })
        }
      },
    },
  })
}
