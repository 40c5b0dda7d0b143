import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import type { GroupMemberClaim, TopicPartitions } from './group-assignment.ts'

/** The kind of group that consumers form. */
export const PROTOCOL_TYPE = 'consumer'
const STICKY = 'driftline-sticky'
/** What the other client of this house offers, so that workers of both can be in one group while they are exchanged. */
const ROUND_ROBIN = 'RoundRobinAssigner'
/** The first version that tells of which generation the owned partitions are. */
const STICKY_VERSION = 2
const PLAIN_VERSION = 0

const copied = (assignment: readonly TopicPartitions[]): { topic: string; partitions: number[] }[] =>
  assignment.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }))

/** What a member says of itself when it joins, for each way of sharing that it knows. */
export const subscriptionsOf = (
  claim: Omit<GroupMemberClaim, 'id'>,
): { readonly name: string; readonly metadata: Buffer }[] => {
  const topics = [...claim.topics]
  const owned = { ownedPartitions: copied(claim.owned), generationId: claim.generation }
  return [
    { name: STICKY, metadata: encodeConsumerProtocolSubscription({ version: STICKY_VERSION, topics, ...owned }) },
    { name: ROUND_ROBIN, metadata: encodeConsumerProtocolSubscription({ version: PLAIN_VERSION, topics }) },
  ]
}

/** What the leader is told of a member. */
export const claimOf = (id: string, metadata: Buffer | null | undefined): GroupMemberClaim => {
  if (metadata === null || metadata === undefined) return { id, topics: [], owned: [], generation: -1 }
  const { topics, ownedPartitions, generationId } = decodeConsumerProtocolSubscription(metadata)
  return { id, topics, owned: ownedPartitions, generation: generationId }
}

/** The leader's answer for one member. */
export const encodeShare = (assignment: readonly TopicPartitions[]): Buffer =>
  encodeConsumerProtocolAssignment({ version: PLAIN_VERSION, assignedPartitions: copied(assignment) })

/** What a member was given. */
export const decodeShare = (share: Buffer): TopicPartitions[] =>
  decodeConsumerProtocolAssignment(share).assignedPartitions
