import { type Reader, Writer } from '@platformatic/kafka'
import { readList, readReply, readTags, type VersionRange, type WireCall } from './wire-call.ts'

/**
 * Versions that name topics (later ones have identifiers of topics in place of names): brokers of Kafka 2.3 know 11,
 * those since 2.7 know 12. https://kafka.apache.org/protocol#The_Messages_Fetch
 */
export const FETCH_VERSIONS: VersionRange = { min: 11, max: 12 }
const FETCH_KEY = 1
const FLEXIBLE_SINCE = 12

export type FetchRequest = {
  /** How long the broker may wait for `minBytes`. */
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of the whole reply; a first batch that is larger comes all the same. */
  readonly maxBytes: number
  /** Only what is committed, and which of it was aborted; otherwise everything up to the high watermark. */
  readonly readCommitted: boolean
  readonly topics: readonly FetchTopic[]
}

export type FetchTopic = {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: bigint
    readonly maxBytes: number
    /** What we take for the leader's epoch, so that an old leader refuses; -1 or nothing: not checked. */
    readonly leaderEpoch?: number
  }[]
}

/** A transaction of this producer was aborted; its records lie at this offset and later, up to its marker. */
export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: bigint }

export type FetchedPartition = {
  readonly topic: string
  readonly partition: number
  /** 0 is success. */
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly abortedTransactions: readonly AbortedTransaction[]
  /** Who leads in truth, where the broker told that with its refusal. */
  readonly leader: { readonly id: number; readonly epoch: number } | null
  /** Record batches one after another, the last one possibly cut off; null where none are. No other has their memory. */
  readonly records: Buffer | null
}

export type FetchReply = {
  readonly throttleTimeMs: number
  /** Of the whole request; 0 is success. */
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

const encode = (request: FetchRequest, flexible: boolean): Writer => {
  const writer = Writer.create()
  writer
    .appendInt32(-1)
    .appendInt32(request.maxWaitMs)
    .appendInt32(request.minBytes)
    .appendInt32(request.maxBytes)
    .appendInt8(request.readCommitted ? 1 : 0)
    // No session: every request names all that it wants.
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray(
      [...request.topics],
      (_, { topic, partitions }) => {
        writer.appendString(topic, flexible).appendArray(
          [...partitions],
          (_, { partition, offset, maxBytes, leaderEpoch = -1 }) => {
            writer.appendInt32(partition).appendInt32(leaderEpoch).appendInt64(offset)
            if (flexible) writer.appendInt32(-1)
            // The start of the log is for followers to tell.
            writer.appendInt64(-1n).appendInt32(maxBytes)
          },
          flexible,
          flexible,
        )
      },
      flexible,
      flexible,
    )
    .appendArray([], () => undefined, flexible, flexible)
    .appendString('', flexible)
  return flexible ? writer.appendTaggedFields() : writer
}

const readRecords = (reader: Reader, flexible: boolean): Buffer | null => {
  const length = flexible ? reader.readUnsignedVarInt() - 1 : reader.readInt32()
  if (length <= 0) return null
  if (length > reader.remaining) throw new RangeError(`${length} bytes of records are longer than the reply`)
  // Copied, so that a partition's bytes can be let go without those of the others.
  const records = Buffer.allocUnsafeSlow(length)
  reader.buffer.slice(reader.position, reader.position + length).copy(records)
  reader.skip(length)
  return records
}

const readPartition = (reader: Reader, topic: string, flexible: boolean): FetchedPartition => {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = reader.readInt64()
  const lastStableOffset = reader.readInt64()
  const logStartOffset = reader.readInt64()
  const abortedTransactions = readList(reader, flexible, 16, () => {
    const aborted = { producerId: reader.readInt64(), firstOffset: reader.readInt64() }
    if (flexible) readTags(reader)
    return aborted
  })
  // A replica nearer by is named only to who tells its rack.
  reader.skip(4)
  const records = readRecords(reader, flexible)
  let leader: FetchedPartition['leader'] = null
  if (flexible) {
    readTags(reader, {
      1: () => {
        leader = { id: reader.readInt32(), epoch: reader.readInt32() }
        readTags(reader)
      },
    })
  }
  return {
    ...{ topic, partition, errorCode, highWatermark, lastStableOffset, logStartOffset },
    ...{ abortedTransactions, leader, records },
  }
}

const decode = (reader: Reader, flexible: boolean): FetchReply => {
  const throttleTimeMs = reader.readInt32()
  const errorCode = reader.readInt16()
  // The identifier of a session that was not asked for.
  reader.skip(4)
  const partitions: FetchedPartition[] = []
  readList(reader, flexible, 3, () => {
    const topic = reader.readString(flexible)
    readList(reader, flexible, 34, () => partitions.push(readPartition(reader, topic, flexible)))
    if (flexible) readTags(reader)
  })
  if (flexible) readTags(reader)
  return { throttleTimeMs, errorCode, partitions }
}

/**
 * Asks for records of many partitions of one leader. Errors of partitions are values in the reply.
 * @param version one of FETCH_VERSIONS that the broker knows
 * @throws KafkaUnavailable (when parsing) if the reply cannot be read
 */
export const fetchCall = (version: number, request: FetchRequest): WireCall<FetchReply> => {
  const flexible = version >= FLEXIBLE_SINCE
  return {
    apiKey: FETCH_KEY,
    apiVersion: version,
    payload: () => encode(request, flexible),
    parse: (_correlationId, _apiKey, _apiVersion, reader) =>
      readReply('Fetch', version, () => decode(reader, flexible)),
    flexible,
    copiesReply: true,
  }
}
