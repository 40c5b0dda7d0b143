import { type CompressionName, codecs } from '../compression/codecs.ts'
import { compressRecords } from '../compression/compress.ts'
import type { OutgoingRecord, RecordLane, RecordSink } from '../kafka-types.ts'
import { countingIdentity } from './counting-identity.ts'
import { createPartitionWriter, type PartitionWriter } from './partition-writer.ts'
import type { EncodedBatch } from './produce-protocol.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import { createRecordLane } from './record-lane.ts'

export { nextSequence, type ProducerIdentity } from './producer-identity.ts'

/** A sink that encodes into buffers of its own, which it uses again. */
export type BatchSink = RecordSink & {
  /** Records since the last reset. */
  readonly records: number
  /** Their bytes on the wire, uncompressed. */
  readonly bytes: number
  /**
   * Completes the batches and gives them in rounds: at most one batch of a partition in each, to be sent in order.
   * May be called again with another identity; whatever is added afterwards is not in what was given.
   * @param identity null writes without an idempotent producer
   */
  readonly finish: (identity: ProducerIdentity | null) => EncodedBatch[][]
  /** Forgets all records; batches that were given are no longer valid. */
  readonly reset: () => void
}

export type BatchSinkOptions = {
  readonly compression?: CompressionName
  /** Of one batch before compression; a record that is larger gets a batch of its own. */
  readonly maxBatchBytes?: number
  /** Of one record. */
  readonly maxRecordBytes?: number
  /** Milliseconds since the epoch, for the records' timestamps. */
  readonly now?: () => number
}

/** Below the 1,048,588 bytes that brokers take by default in a batch. */
const MAX_BATCH_BYTES = 900_000
/** Dead letters, which are the largest, are made smaller than that. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024

/** Encodes records at once as they come. Adding throws SendFailed for a record above `maxRecordBytes`. */
export const createBatchSink = (options: BatchSinkOptions = {}): BatchSink => {
  const { compression = 'none', maxBatchBytes = MAX_BATCH_BYTES, maxRecordBytes = MAX_RECORD_BYTES } = options
  const { now = Date.now } = options
  const codec = codecs[compression]
  const topics = new Map<string, Map<number, PartitionWriter>>()

  const writerOf = (topic: string, partition: number): PartitionWriter => {
    let writers = topics.get(topic)
    if (writers === undefined) {
      writers = new Map()
      topics.set(topic, writers)
    }
    let writer = writers.get(partition)
    if (writer === undefined) {
      writer = createPartitionWriter({ topic, partition, maxBatchBytes, maxRecordBytes, now })
      writers.set(partition, writer)
    }
    return writer
  }

  const writers = function* (): Generator<PartitionWriter> {
    for (const byPartition of topics.values()) yield* byPartition.values()
  }

  const sumOf = (measure: (writer: PartitionWriter) => number): number => {
    let sum = 0
    for (const writer of writers()) sum += measure(writer)
    return sum
  }

  return {
    add: (record: OutgoingRecord) => writerOf(record.topic, record.partition).add(record),
    lane: (topic, partition, headerName): RecordLane => createRecordLane(writerOf(topic, partition), headerName),
    get records() {
      return sumOf((writer) => writer.records())
    },
    get bytes() {
      return sumOf((writer) => writer.bytes())
    },
    finish: (identity) => {
      const rounds: EncodedBatch[][] = []
      for (const writer of writers()) {
        writer.finish(identity, codec, compressRecords).forEach((batch, round) => {
          rounds[round] ??= []
          rounds[round].push(batch)
        })
      }
      return rounds
    },
    reset: () => {
      for (const writer of writers()) writer.reset()
    },
  }
}

/**
 * Completes the batches of several sinks for one producer, in rounds as `finish` gives them: sinks that write to the same
 * partition follow each other there, with their sequence numbers.
 */
export const finishAll = (sinks: readonly BatchSink[], identity: ProducerIdentity): EncodedBatch[][] => {
  const rounds: EncodedBatch[][] = []
  /** Counts what is in the rounds as if it were stored. */
  const ahead = countingIdentity(identity, identity.transactional, identity.baseSequenceOf)
  for (const sink of sinks) {
    const own = sink.finish(ahead)
    const batches = own.flat()
    const meets = batches.some(
      ({ topic, partition }) => ahead.baseSequenceOf(topic, partition) !== identity.baseSequenceOf(topic, partition),
    )
    const first = meets ? rounds.length : 0
    own.forEach((round, i) => {
      rounds[first + i] = [...(rounds[first + i] ?? []), ...round]
    })
    ahead.advance(batches)
  }
  return rounds
}
