import { type Reader, Writer } from '@platformatic/kafka'
import { readList, readReply, readTags, type VersionRange, type WireCall } from './wire-call.ts'

/**
 * Versions that name topics: brokers of Kafka 2.4 know 8, those since 2.8 know 9, and 12 takes partitions into a
 * transaction on the way (KIP-890), so that nothing above 11 may be used in transactions of the older protocol.
 * https://kafka.apache.org/protocol#The_Messages_Produce
 */
export const PRODUCE_VERSIONS: VersionRange = { min: 8, max: 12 }
export const PRODUCE_VERSIONS_BEFORE_KIP_890: VersionRange = { min: 8, max: 11 }
const PRODUCE_KEY = 0
const FLEXIBLE_SINCE = 9

/** A record batch of one partition, ready to be sent. */
export type EncodedBatch = {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** The sequence number of its first record; -1 without a producer id. */
  readonly baseSequence: number
  /** Valid until the sink that it comes from is reset or finished anew. */
  readonly bytes: Buffer
}

export type ProduceRequest = {
  readonly transactionalId: string | null
  readonly acks: -1 | 1
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number
  /** At most one of a partition. */
  readonly batches: readonly EncodedBatch[]
}

export type ProducedPartition = {
  readonly topic: string
  readonly partition: number
  /** 0 is success. */
  readonly errorCode: number
  readonly errorMessage: string | null
  /** Where the first record of the batch went; -1 where it did not. */
  readonly baseOffset: bigint
  readonly logStartOffset: bigint
  /** Who leads in truth, where the broker told that with its refusal. */
  readonly leader: { readonly id: number; readonly epoch: number } | null
}

export type ProduceReply = { readonly throttleTimeMs: number; readonly partitions: readonly ProducedPartition[] }

const byTopic = (batches: readonly EncodedBatch[]): [string, EncodedBatch[]][] => {
  const topics = new Map<string, EncodedBatch[]>()
  for (const batch of batches) {
    const others = topics.get(batch.topic)
    if (others === undefined) topics.set(batch.topic, [batch])
    else others.push(batch)
  }
  return [...topics]
}

const encode = (request: ProduceRequest, flexible: boolean): Writer => {
  const writer = Writer.create()
  writer
    .appendString(request.transactionalId, flexible)
    .appendInt16(request.acks)
    .appendInt32(request.timeoutMs)
    .appendArray(
      byTopic(request.batches),
      (_, [topic, batches]) => {
        writer.appendString(topic, flexible).appendArray(
          batches,
          (_, { partition, bytes }) => {
            writer.appendInt32(partition).appendBytes(bytes, flexible)
          },
          flexible,
          flexible,
        )
      },
      flexible,
      flexible,
    )
  return flexible ? writer.appendTaggedFields() : writer
}

const readPartition = (reader: Reader, topic: string, flexible: boolean): ProducedPartition => {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const baseOffset = reader.readInt64()
  // The time of appending, which only topics with LogAppendTime have.
  reader.skip(8)
  const logStartOffset = reader.readInt64()
  const recordErrors = readList(reader, flexible, 5, () => {
    const index = reader.readInt32()
    const message = reader.readNullableString(flexible)
    if (flexible) readTags(reader)
    return `record ${index}: ${message ?? 'refused'}`
  })
  const message = reader.readNullableString(flexible)
  let leader: ProducedPartition['leader'] = null
  if (flexible) {
    readTags(reader, {
      0: () => {
        leader = { id: reader.readInt32(), epoch: reader.readInt32() }
        readTags(reader)
      },
    })
  }
  const errorMessage = message ?? (recordErrors.length > 0 ? recordErrors.join('; ') : null)
  return { topic, partition, errorCode, errorMessage, baseOffset, logStartOffset, leader }
}

const decode = (reader: Reader, flexible: boolean): ProduceReply => {
  const partitions: ProducedPartition[] = []
  readList(reader, flexible, 3, () => {
    const topic = reader.readString(flexible)
    readList(reader, flexible, 32, () => partitions.push(readPartition(reader, topic, flexible)))
    if (flexible) readTags(reader)
  })
  const throttleTimeMs = reader.readInt32()
  if (flexible) readTags(reader)
  return { throttleTimeMs, partitions }
}

/**
 * Writes batches to partitions of one leader. Errors of partitions are values in the reply. The bytes may go out as they
 * are: they have to stay so until the request is settled.
 * @param version one of PRODUCE_VERSIONS that the broker knows
 * @throws KafkaUnavailable (when parsing) if the reply cannot be read
 */
export const produceCall = (version: number, request: ProduceRequest): WireCall<ProduceReply> => {
  const flexible = version >= FLEXIBLE_SINCE
  return {
    apiKey: PRODUCE_KEY,
    apiVersion: version,
    payload: () => encode(request, flexible),
    parse: (_correlationId, _apiKey, _apiVersion, reader) =>
      readReply('Produce', version, () => decode(reader, flexible)),
    flexible,
  }
}
