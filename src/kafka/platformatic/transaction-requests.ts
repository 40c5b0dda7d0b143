import { type Reader, Writer } from '@platformatic/kafka'
import type { VersionRange, WireCall } from '../wire/wire-call.ts'
import { readReply, readTags } from '../wire/wire-call.ts'

/** The holder of a transactional id, as the broker knows it. */
export type TransactionIdentity = {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The partitions that these are written to, each once, as AddPartitionsToTxn names them. */
export const topicsOf = (
  written: readonly { readonly topic: string; readonly partition: number }[],
): { name: string; partitions: number[] }[] => {
  const topics = new Map<string, Set<number>>()
  for (const { topic, partition } of written) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, new Set([partition]))
    else known.add(partition)
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions: [...partitions] }))
}

/**
 * With version 5 the broker answers with the epoch of the next transaction (KIP-890), so that a late request can never
 * end a transaction that it does not belong to. https://kafka.apache.org/protocol#The_Messages_EndTxn
 */
export const END_TXN_WITH_EPOCHS: VersionRange = { min: 5, max: 5 }
const END_TXN_KEY = 26

export type EndTxnReply = { readonly errorCode: number; readonly producerId: bigint; readonly producerEpoch: number }

export const endTxnCall = (
  version: number,
  end: TransactionIdentity & { readonly committed: boolean },
): WireCall<EndTxnReply> => ({
  apiKey: END_TXN_KEY,
  apiVersion: version,
  payload: () =>
    Writer.create()
      .appendString(end.transactionalId)
      .appendInt64(end.producerId)
      .appendInt16(end.producerEpoch)
      .appendBoolean(end.committed)
      .appendTaggedFields(),
  parse: (_correlationId, _apiKey, _apiVersion, reader) =>
    readReply('EndTxn', version, () => {
      // The throttle time.
      reader.skip(4)
      const errorCode = reader.readInt16()
      const producerId = reader.readInt64()
      const producerEpoch = reader.readInt16()
      readTags(reader)
      return { errorCode, producerId, producerEpoch }
    }),
  flexible: true,
})

/** Version 12 takes the partitions into the transaction on the way. */
export const PRODUCE_IMPLICIT: VersionRange = { min: 12, max: 12 }

/**
 * Version 5 takes the offsets into the transaction on the way (KIP-890); 3 is the first that names the member (KIP-447).
 * https://kafka.apache.org/protocol#The_Messages_TxnOffsetCommit
 */
export const TXN_OFFSET_COMMIT_IMPLICIT: VersionRange = { min: 5, max: 5 }
export const TXN_OFFSET_COMMIT: VersionRange = { min: 3, max: 3 }
const TXN_OFFSET_COMMIT_KEY = 28

export type TxnOffsetCommit = TransactionIdentity & {
  readonly group: string
  readonly memberId: string
  readonly generation: number
  readonly topic: string
  /** The next offset of each partition. */
  readonly positions: readonly { readonly partition: number; readonly offset: bigint }[]
}

const readOffsetCommit = (reader: Reader): number => {
  reader.skip(4)
  let failed = 0
  reader.readArray(
    () => {
      reader.readString()
      reader.readArray(
        () => {
          reader.skip(4)
          const errorCode = reader.readInt16()
          if (errorCode !== 0) failed = errorCode
          readTags(reader)
        },
        true,
        false,
      )
      readTags(reader)
    },
    true,
    false,
  )
  readTags(reader)
  return failed
}

/** The reply is the error code of a partition that failed; 0 where none did. */
export const txnOffsetCommitCall = (version: number, commit: TxnOffsetCommit): WireCall<number> => ({
  apiKey: TXN_OFFSET_COMMIT_KEY,
  apiVersion: version,
  payload: () =>
    Writer.create()
      .appendString(commit.transactionalId)
      .appendString(commit.group)
      .appendInt64(commit.producerId)
      .appendInt16(commit.producerEpoch)
      .appendInt32(commit.generation)
      .appendString(commit.memberId)
      .appendString(null)
      .appendArray([commit.topic], (topics, topic) => {
        topics.appendString(topic).appendArray([...commit.positions], (partitions, { partition, offset }) => {
          partitions.appendInt32(partition).appendInt64(offset).appendInt32(-1).appendString('')
        })
      })
      .appendTaggedFields(),
  parse: (_correlationId, _apiKey, _apiVersion, reader) =>
    readReply('TxnOffsetCommit', version, () => readOffsetCommit(reader)),
  flexible: true,
})
