import { FetchIsolationLevels, ListOffsetTimestamps, listOffsetsV5, listOffsetsV7 } from '@platformatic/kafka'
import type { BrokerNode, Cluster } from './cluster.ts'
import type { ConnectionPool } from './connections.ts'
import { BrokerRefused, errorName, isLeaderMoved, replyOf } from './protocol-errors.ts'

/** A place in the log of a partition. */
export type LogPlace =
  | 'start'
  /** After the last record that a reader of committed records can see now. */
  | 'stable-end'
  | 'end'
  /** The first record of this time (ms since the epoch) or later; no offset where there is none. */
  | { readonly timestampMs: number }

export type LogOffsetsDeps = { readonly cluster: Cluster; readonly pool: ConnectionPool }

const timestampOf = (place: LogPlace): bigint => {
  if (typeof place === 'object') return BigInt(Math.ceil(place.timestampMs))
  return place === 'start' ? ListOffsetTimestamps.EARLIEST : ListOffsetTimestamps.LATEST
}

const byLeader = async (cluster: Cluster, topic: string, partitions: readonly number[]) => {
  const found = new Map<number, { node: BrokerNode; partitions: number[] }>()
  for (const partition of partitions) {
    const node = await cluster.leaderOf(topic, partition)
    const others = found.get(node.nodeId)
    if (others === undefined) found.set(node.nodeId, { node, partitions: [partition] })
    else others.partitions.push(partition)
  }
  return [...found.values()]
}

/**
 * Asks the leaders where a place is in each of these partitions. Asks once: a leader that moved is looked up anew by
 * the next call. A partition without such a record is not in the map.
 * @throws BrokerRefused, KafkaUnavailable, KafkaUnsuitable
 */
export const logOffsets = async (
  { cluster, pool }: LogOffsetsDeps,
  topic: string,
  partitions: readonly number[],
  place: LogPlace,
): Promise<Map<number, bigint>> => {
  const offsets = new Map<number, bigint>()
  const isolation = place === 'end' ? FetchIsolationLevels.READ_UNCOMMITTED : FetchIsolationLevels.READ_COMMITTED
  const timestamp = timestampOf(place)

  const askLeader = async (node: BrokerNode, asked: readonly number[]): Promise<void> => {
    const topics = [
      {
        name: topic,
        partitions: asked.map((partition) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
      },
    ]
    const link = await pool.link(node)
    const reply = await replyOf(
      link.call('ListOffsets 5', [listOffsetsV7.api, listOffsetsV5.api], -1, isolation, topics),
    )
    for (const { partitionIndex, errorCode, offset } of reply.topics.flatMap((found) => found.partitions)) {
      if (errorCode !== 0) {
        if (isLeaderMoved(errorName(errorCode))) cluster.forgetTopic(topic)
        throw new BrokerRefused(`the offsets of ${topic}-${partitionIndex} cannot be read`, errorCode)
      }
      if (offset >= 0n) offsets.set(partitionIndex, offset)
    }
  }

  const leaders = await byLeader(cluster, topic, partitions)
  try {
    await Promise.all(leaders.map(({ node, partitions: asked }) => askLeader(node, asked)))
  } catch (error) {
    // A leader that is gone has not said so.
    if (!(error instanceof BrokerRefused)) cluster.forgetTopic(topic)
    throw error
  }
  return offsets
}
