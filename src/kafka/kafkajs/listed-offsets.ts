import { KafkaUnavailable } from '../kafka-errors.ts'
import {
  createErrorFromCode,
  DecoderClass,
  EncoderClass,
  type InternalCluster,
  type ProtocolRequest,
} from './internals.ts'

const LIST_OFFSETS = 2
const VERSION = 2

/** Two timestamps with a meaning of their own: the first offset of the log, and the one after the last. */
export const EARLIEST = -2
export const LATEST = -1

type Listed = { readonly partition: number; readonly errorCode: number; readonly offset: bigint }

const listOffsets = (
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  readCommitted: boolean,
): ProtocolRequest<Listed[]> => ({
  request: {
    apiKey: LIST_OFFSETS,
    apiVersion: VERSION,
    apiName: 'ListOffsets',
    encode: async () => {
      const encoder = new EncoderClass()
        .writeInt32(-1) // no replica
        .writeInt8(readCommitted ? 1 : 0)
        .writeInt32(1)
        .writeString(topic)
        .writeInt32(partitions.length)
      for (const partition of partitions) encoder.writeInt32(partition).writeInt64(String(timestamp))
      return encoder
    },
  },
  response: {
    decode: async (payload) => {
      const decoder = new DecoderClass(payload)
      decoder.readInt32() // throttle time
      return decoder
        .readArray((topics) => {
          topics.readString()
          return topics.readArray((reader) => {
            const partition = reader.readInt32()
            const errorCode = reader.readInt16()
            reader.readInt64() // timestamp of the record
            return { partition, errorCode, offset: BigInt(reader.readInt64().toString()) }
          })
        })
        .flat()
    },
    parse: async (listed) => {
      const failed = listed.find(({ errorCode }) => errorCode !== 0)
      if (failed !== undefined) throw createErrorFromCode(failed.errorCode)
      return listed
    },
  },
  logResponseError: false,
})

/**
 * Offsets of all partitions of a topic by a timestamp, EARLIEST or LATEST. kafkajs' admin asks for the last stable
 * offset alone, and calls it the high watermark; what waits for a group counts to the end of the log.
 * @param readCommitted LATEST is the last stable offset; without it the high watermark
 * @returns by partition; -1 where no record is as young as the timestamp
 * @throws an error of kafkajs: the caller has the patience
 */
export const listedOffsets = async (
  cluster: InternalCluster,
  topic: string,
  timestamp: number,
  readCommitted: boolean,
): Promise<Map<number, bigint>> => {
  await cluster.connect()
  await cluster.addMultipleTargetTopics([topic])
  // A topic may have got more partitions, of which no refusal would tell.
  await cluster.refreshMetadataIfNecessary()
  const byLeader = new Map<number, number[]>()
  for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) {
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), partitionId])
  }
  if (byLeader.size === 0) throw new KafkaUnavailable(`no broker tells of the partitions of ${topic}`)
  const replies = await Promise.all(
    Array.from(byLeader, async ([nodeId, partitions]) => {
      const broker = await cluster.findBroker({ nodeId })
      return broker.connectionPool.send(listOffsets(topic, partitions, timestamp, readCommitted))
    }),
  )
  return new Map(replies.flat().map(({ partition, offset }) => [partition, offset]))
}
