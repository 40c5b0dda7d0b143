import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plaintext } from '../../src/config/kafka-security.ts'
import type { MemberIdentity } from '../../src/kafka/platformatic/group-member.ts'
import { createOpenNetwork } from '../../src/kafka/platformatic/network.ts'
import { protocolErrorType } from '../../src/kafka/platformatic/protocol-errors.ts'
import { connectionSecurity } from '../../src/kafka/platformatic/security.ts'
import { createTransactionalWriter, type TransactionPart } from '../../src/kafka/platformatic/transactional-writer.ts'
import { createBatchSink } from '../../src/kafka/wire/record-sink.ts'
import { committedRecords, createKafkaBench, type KafkaBench, kafkaBrokers, uniqueName } from '../support/kafka.ts'

let bench: KafkaBench
/** What a test opened, closed after it. */
const opened: (() => Promise<void> | void)[] = []
beforeEach(async () => {
  bench = await createKafkaBench()
})
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((close) => close()))
  await bench.close()
})

/** A group's only member, in the first generation of that group. */
const joinAlone = async (group: string, topic: string): Promise<MemberIdentity> => {
  const kafka = new Kafka({ clientId: 'member', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 30_000 })
  opened.push(() => consumer.disconnect())
  const joined = Promise.withResolvers<string>()
  consumer.on('consumer.group_join', ({ payload }) => joined.resolve(payload.memberId))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  await consumer.run({ autoCommit: false, eachMessage: async () => undefined })
  return { memberId: await joined.promise, generation: 1 }
}

/** Writes a record and an offset for each partition in one transaction, as the member that it is told. */
const createCommitter = (group: string, topic: string, output: string, implicitPartitions: boolean) => {
  const security = connectionSecurity(plaintext)
  const network = createOpenNetwork({ brokers: kafkaBrokers(), clientId: 'test', security })('commits')
  opened.push(network.close)
  let identity: MemberIdentity | null = null
  const writer = createTransactionalWriter({
    ...{ cluster: network.cluster, coordination: network.pool('coordination'), records: network.pool('records') },
    ...{ group, topic, partition: 0, transactionTimeoutMs: 10_000, patienceMs: 10_000, implicitPartitions },
    identity: () => identity,
    onStep: undefined,
  })
  const partOf = (value: string, partition: number, nextOffset: bigint): TransactionPart => {
    const sink = createBatchSink({ compression: 'none' })
    // All to one partition of the output: what a producer writes there it has to number in order.
    sink.add({ topic: output, partition: 0, key: Buffer.from(`${value}${partition || ''}`), value: null })
    return { partition, sink, nextOffset }
  }
  return {
    commit: async (member: MemberIdentity, value: string, nextOffset: bigint): Promise<void> => {
      identity = member
      await writer.fence()
      await writer.commit([partOf(value, 0, nextOffset)])
    },
    /** For two partitions. The identity of the moment is another one. */
    commitBoth: async (
      member: MemberIdentity,
      now: MemberIdentity,
      value: string,
      nextOffset: bigint,
    ): Promise<void> => {
      identity = now
      await writer.fence()
      await writer.commit([partOf(value, 0, nextOffset), partOf(value, 1, nextOffset)], member)
    },
  }
}

describe.each([
  ['older', false],
  ['newer', true],
])('by the %s protocol of transactions', (_, implicitPartitions) => {
  test('offsets are taken from a member of the group as it is now, and from nobody else', async () => {
    const [topic, output] = [await bench.topic(), await bench.topic()]
    await bench.producer.send(Array.from({ length: 9 }, () => ({ topic, partition: 0, key: null, value: null })))
    const group = uniqueName('group')
    const member = await joinAlone(group, topic)
    const { commit } = createCommitter(group, topic, output, implicitPartitions)
    const refusalOf = (who: MemberIdentity, value: string): Promise<string | undefined> =>
      commit(who, value, 9n).then(() => 'none', protocolErrorType)

    await commit(member, 'a', 3n)
    expect(await refusalOf({ ...member, generation: 0 }, 'x')).toBe('ILLEGAL_GENERATION')
    expect(await refusalOf({ ...member, memberId: 'a stranger' }, 'y')).toBe('UNKNOWN_MEMBER_ID')
    // And those who were refused have written nothing.
    await commit(member, 'b', 5n)
    expect(await bench.admin.consumerLag(group, topic)).toEqual(new Map([[0, 4n]]))
    expect((await committedRecords(output)).map(({ key }) => key)).toEqual(['a', 'b'])
  })

  test('offsets of several partitions are taken together, in the generation that they are for, or not at all', async () => {
    const [topic, output] = [await bench.topic({ partitions: 2 }), await bench.topic()]
    const records = Array.from({ length: 18 }, (_, i) => ({ topic, partition: i % 2, key: null, value: null }))
    await bench.producer.send(records)
    const group = uniqueName('group')
    const member = await joinAlone(group, topic)
    const { commitBoth } = createCommitter(group, topic, output, implicitPartitions)

    await commitBoth(member, { ...member, generation: 0 }, 'a', 3n)
    await commitBoth(member, member, 'b', 4n)
    const before = { ...member, generation: 0 }
    expect(await commitBoth(before, member, 'x', 9n).then(() => 'none', protocolErrorType)).toBe('ILLEGAL_GENERATION')
    await commitBoth(member, member, 'c', 5n)
    const lag = await bench.admin.consumerLag(group, topic)
    expect([lag.get(0), lag.get(1)]).toEqual([4n, 4n])
    expect((await committedRecords(output)).map(({ key }) => key)).toEqual(['a', 'a1', 'b', 'b1', 'c', 'c1'])
  })
})
