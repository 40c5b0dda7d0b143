import type { Batch, KafkaMessage } from 'kafkajs'
import type { FetchedPartition } from '../wire/fetch-protocol.ts'
import { readBatchHeader } from '../wire/record-batch-reader.ts'
import {
  createErrorFromCode,
  type Decoder,
  DecoderClass,
  EncoderClass,
  fetchResponse,
  type InternalBroker,
} from './internals.ts'

/** What a reply to a fetch holds of one partition, undecoded. */
export type FetchedRecords = Pick<FetchedPartition, 'records' | 'abortedTransactions'>

/** Stands for all records of a partition in a reply: kafkajs passes it on as one message at the last offset. */
type Carrier = { readonly offset: string; readonly isControlRecord: false; readonly carried: FetchedRecords }

const MAX_OFFSET = 2n ** 63n - 1n

/**
 * The offset of the last record of the last whole batch; null where the first one is cut off. Where a batch is damaged
 * there is no telling: what lies behind every offset is handed on, for the reader to refuse.
 */
export const lastOffsetOf = (records: Buffer): bigint | null => {
  let last: bigint | null = null
  for (let at = 0; at < records.length; ) {
    const header = readBatchHeader(records, at)
    if (header.kind === 'cut') break
    if (header.kind === 'damaged') return MAX_OFFSET
    last = BigInt(header.lastOffset)
    at = header.end
  }
  return last
}

const readAborted = (decoder: Decoder): FetchedPartition['abortedTransactions'] =>
  decoder.readArray((aborted) => ({
    producerId: BigInt(aborted.readInt64().toString()),
    firstOffset: BigInt(aborted.readInt64().toString()),
  }))

export type FetchedPartitionRecords = FetchedRecords & {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly preferredReadReplica: number
}

const readPartition = (decoder: Decoder): FetchedPartitionRecords => {
  const readInt64 = (): bigint => BigInt(decoder.readInt64().toString())
  const partition = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const highWatermark = readInt64()
  const lastStableOffset = readInt64()
  const logStartOffset = readInt64()
  const abortedTransactions = readAborted(decoder)
  const preferredReadReplica = decoder.readInt32()
  const size = decoder.readInt32()
  const records = size > 0 && decoder.canReadBytes(size) ? decoder.readBytes(size) : null
  return {
    ...{ partition, errorCode, highWatermark, lastStableOffset, logStartOffset, preferredReadReplica },
    ...{ abortedTransactions, records },
  }
}

const readReply = (payload: Buffer) => {
  const decoder = new DecoderClass(payload)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const sessionId = decoder.readInt32()
  const responses = decoder.readArray((topics) => ({
    topicName: topics.readString(),
    partitions: topics.readArray(readPartition),
  }))
  return { clientSideThrottleTime, errorCode, sessionId, responses }
}

/** A partition of a reply in kafkajs' form. */
const toKafkajs = (fetched: FetchedPartitionRecords) => {
  const { partition, errorCode, preferredReadReplica, records, abortedTransactions } = fetched
  const last = records === null ? null : lastOffsetOf(records)
  const messages: Carrier[] =
    last === null
      ? []
      : [{ offset: last.toString(), isControlRecord: false, carried: { records, abortedTransactions } }]
  return {
    ...{ partition, errorCode, preferredReadReplica, messages },
    highWatermark: fetched.highWatermark.toString(),
    lastStableOffset: fetched.lastStableOffset.toString(),
    lastStartOffset: fetched.logStartOffset.toString(),
    // Left to us: kafkajs would look for them among the messages.
    abortedTransactions: [],
  }
}

const decodeForKafkajs = async (payload: Buffer) => {
  const { responses, ...reply } = readReply(payload)
  return {
    ...reply,
    throttleTime: 0,
    responses: responses.map(({ topicName, partitions }) => ({ topicName, partitions: partitions.map(toKafkajs) })),
  }
}

let done = false

/**
 * Has kafkajs, for all consumers of the process, hand on the records of a partition as the bytes that came.
 *
 * kafkajs makes several objects of each record, and its filter lets aborted records through to readers of committed
 * ones: it takes one aborted transaction off the list per record, and trusts the list to be in the order of first
 * offsets, so that transactions that overlap escape it. The house's own reader does neither.
 */
export const fetchColumnar = (): void => {
  if (done) return
  done = true
  fetchResponse().decode = decodeForKafkajs
}

/** What kafkajs' batch carries. */
export const fetchedRecordsOf = (batch: Batch): FetchedRecords | undefined =>
  (batch.messages[0] as (KafkaMessage & Partial<Carrier>) | undefined)?.carried

const FETCH = 1
const VERSION = 11
const READ_COMMITTED = 1
const MAX_WAIT_MS = 500
const MAX_BYTES = 8 << 20
const MAX_BYTES_PER_PARTITION = 1 << 20

/** Reads from partitions of a topic that this broker leads; committed records only. Errors of partitions are values. */
export const fetchRecords = (
  broker: InternalBroker,
  topic: string,
  partitions: readonly { readonly partition: number; readonly offset: bigint }[],
): Promise<FetchedPartitionRecords[]> =>
  broker.connectionPool.send({
    request: {
      apiKey: FETCH,
      apiVersion: VERSION,
      apiName: 'Fetch',
      encode: async () => {
        const encoder = new EncoderClass()
          .writeInt32(-1) // no replica
          .writeInt32(MAX_WAIT_MS)
          .writeInt32(1) // a byte is enough
          .writeInt32(MAX_BYTES)
          .writeInt8(READ_COMMITTED)
          .writeInt32(0) // no session
          .writeInt32(-1)
          .writeInt32(1)
          .writeString(topic)
          .writeInt32(partitions.length)
        for (const { partition, offset } of partitions) {
          encoder
            .writeInt32(partition)
            .writeInt32(-1) // any leader epoch
            .writeInt64(offset.toString())
            .writeInt64('-1') // the log's start is for followers to tell
            .writeInt32(MAX_BYTES_PER_PARTITION)
        }
        // No partitions to forget, no rack.
        return encoder.writeInt32(0).writeString('')
      },
    },
    response: {
      decode: async (payload) => readReply(payload),
      parse: async ({ errorCode, responses }) => {
        if (errorCode !== 0) throw createErrorFromCode(errorCode)
        return responses.flatMap((found) => found.partitions)
      },
    },
    logResponseError: false,
  })
