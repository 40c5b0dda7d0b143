import { AssignerProtocol, Kafka, logLevel } from 'kafkajs'
import { eventually } from './eventually.ts'
import { kafkaBrokers } from './kafka.ts'

/** The leader of a group, which takes nothing for itself and decides how long the others wait for their shares. */
export type RawGroupLeader = {
  /** Holds up the sharing out once the group has that many members besides it. Resolves when they all wait for it. */
  readonly holdAt: (members: number) => Promise<void>
  readonly goOn: () => void
  readonly close: () => Promise<void>
}

/** Joins a group that nobody is in yet. All partitions of the topic go to the member that was there first. */
export const createRawGroupLeader = async (group: string, topic: string): Promise<RawGroupLeader> => {
  const kafka = new Kafka({ clientId: 'raw-leader', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING })
  const { MemberAssignment, MemberMetadata } = AssignerProtocol
  let own: string | undefined
  let favoured: string | undefined
  let holdsAt = Number.POSITIVE_INFINITY
  const [waiting, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]

  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 20_000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
    partitionAssigners: [
      ({ cluster }) => ({
        // The way of sharing that all clients of the house know.
        name: 'RoundRobinAssigner',
        version: 0,
        assign: async ({ members }) => {
          own ??= members[0]?.memberId
          const others = members.flatMap(({ memberId }) => (memberId === own ? [] : [memberId]))
          if (favoured === undefined || !others.includes(favoured)) favoured = others[0]
          if (others.length >= holdsAt) {
            waiting.resolve()
            await released.promise
          }
          const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
          return members.map(({ memberId }) => {
            const assignment = memberId === favoured ? { [topic]: partitions } : {}
            const encoded = MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) })
            return { memberId, memberAssignment: encoded }
          })
        },
        protocol: ({ topics }) => ({
          name: 'RoundRobinAssigner',
          metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
        }),
      }),
    ],
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatch: async () => {} })
  await eventually(() => {
    if (own === undefined) throw new Error('the leader has not joined its group')
  })

  return {
    holdAt: (members) => {
      holdsAt = members
      return waiting.promise
    },
    goOn: released.resolve,
    close: async () => {
      released.resolve()
      await consumer.disconnect()
    },
  }
}
