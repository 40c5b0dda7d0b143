import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { describeError } from '../../errors.ts'
import { KafkaUnavailable, KafkaUnsuitable } from '../kafka-errors.ts'
import { breakConnections } from './connection.ts'
import {
  clusterOf,
  createErrorFromCode,
  type Decoder,
  DecoderClass,
  EncoderClass,
  type InternalCluster,
  type ProtocolRequest,
} from './internals.ts'
import { protocolErrorType } from './protocol-errors.ts'

const OFFSET_FETCH = 9
/** The first version with `require_stable` (KIP-447, Kafka 2.5). */
const VERSION = 7

type PartitionOffset = { partition: number; offset: bigint; errorCode: number }
type Reply = { errorCode: number; partitions: PartitionOffset[] }

const readPartition = (decoder: Decoder): PartitionOffset => {
  const partition = decoder.readInt32()
  const offset = BigInt(decoder.readInt64().toString())
  decoder.readInt32() // leader epoch
  decoder.readUVarIntString() // metadata
  const errorCode = decoder.readInt16()
  decoder.readTaggedFields()
  return { partition, offset, errorCode }
}

const offsetFetch = (group: string, topic: string, partition: number): ProtocolRequest<Reply> => ({
  request: {
    apiKey: OFFSET_FETCH,
    apiVersion: VERSION,
    apiName: 'OffsetFetch',
    encode: async () =>
      new EncoderClass()
        .writeUVarIntBytes() // no tagged fields in the header
        .writeUVarIntString(group)
        .writeUVarIntArray([
          new EncoderClass()
            .writeUVarIntString(topic)
            .writeUVarIntArray([new EncoderClass().writeInt32(partition)])
            .writeUVarIntBytes(),
        ])
        .writeBoolean(true) // require_stable
        .writeUVarIntBytes(),
  },
  response: {
    decode: async (payload) => {
      const decoder = new DecoderClass(payload)
      decoder.readTaggedFields()
      decoder.readInt32() // throttle time
      const topics = decoder.readUVarIntArray((topicDecoder) => {
        topicDecoder.readUVarIntString()
        const partitions = topicDecoder.readUVarIntArray(readPartition) ?? []
        topicDecoder.readTaggedFields()
        return partitions
      })
      return { errorCode: decoder.readInt16(), partitions: (topics ?? []).flat() }
    },
    parse: async (reply) => {
      const failed = [reply.errorCode, ...reply.partitions.map((p) => p.errorCode)].find((code) => code !== 0)
      if (failed !== undefined) throw createErrorFromCode(failed)
      return reply
    },
  },
  logResponseError: false,
})

export type StableOffsets = {
  /**
   * The committed offset of one partition, or null where none was committed. Waits while a transaction that commits
   * offsets of this partition has not ended. @throws KafkaUnavailable, KafkaUnsuitable
   */
  committed: (group: string, topic: string, partition: number) => Promise<bigint | null>
  close: () => Promise<void>
}

/**
 * Reads committed offsets with `require_stable`, which kafkajs (it stops at OffsetFetch 4) cannot.
 *
 * Initialising a transactional id ends what its older owner left open, and brokers since 4.0 apply the offsets of
 * an ended transaction before they answer that request. Older ones apply them later, and no broker promises it.
 * An offset read in between is the one before that transaction, and its records would be written twice. So the
 * broker is asked to refuse an answer that may still change.
 */
export const createStableOffsets = (kafka: Kafka, options: { patienceMs: number }): StableOffsets => {
  let cluster: InternalCluster | undefined
  let closed = false

  /** Others may be waiting for an answer on these connections: they fail, and ask again on new ones. */
  const discard = (failed: InternalCluster): void => {
    // They leave the new ones alone, or all would break each other's for ever.
    if (cluster !== failed) return
    cluster = undefined
    breakConnections(kafka)
  }

  const opened = (): InternalCluster => {
    if (closed) throw new KafkaUnavailable('the reader of committed offsets is closed')
    cluster ??= clusterOf(kafka)
    return cluster
  }

  const ask = async (
    asked: InternalCluster,
    group: string,
    topic: string,
    partition: number,
  ): Promise<bigint | null> => {
    await asked.connect()
    await asked.refreshMetadataIfNecessary()
    const coordinator = await asked.findGroupCoordinator({ groupId: group })
    if ((coordinator.versions?.[OFFSET_FETCH]?.maxVersion ?? 0) < VERSION) {
      throw new KafkaUnsuitable('The broker does not know stable offsets (KIP-447): Kafka 2.5 or newer is needed')
    }
    const { partitions } = await coordinator.connectionPool.send(offsetFetch(group, topic, partition))
    const found = partitions.find((p) => p.partition === partition)
    return found === undefined || found.offset < 0n ? null : found.offset
  }

  return {
    committed: async (group, topic, partition) => {
      const deadline = performance.now() + options.patienceMs
      for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 200)) {
        const asked = opened()
        try {
          return await ask(asked, group, topic, partition)
        } catch (error) {
          if (error instanceof KafkaUnsuitable || closed) throw error
          // Anything but an open transaction may come from a connection or a coordinator that is gone.
          if (protocolErrorType(error) !== 'UNSTABLE_OFFSET_COMMIT') discard(asked)
          if (performance.now() + waitMs > deadline) {
            throw new KafkaUnavailable(
              `No stable offset of ${topic}-${partition} for group ${group} within ${options.patienceMs} ms: ${describeError(error)}`,
              { cause: error },
            )
          }
        }
        await sleep(waitMs)
      }
    },
    close: async () => {
      closed = true
      const closing = cluster
      cluster = undefined
      await closing?.disconnect()
    },
  }
}
