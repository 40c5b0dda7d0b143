import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { describeError } from '../../errors.ts'
import { accessDenied } from '../access-denied.ts'
import { KafkaUnavailable, KafkaUnsuitable } from '../kafka-errors.ts'
import type { KafkaAdmin, TopicSpec } from '../kafka-types.ts'
import { withDeadline } from '../with-timeout.ts'
import { breakConnections } from './connection.ts'
import { clusterOf, type InternalCluster } from './internals.ts'
import { EARLIEST, LATEST, listedOffsets } from './listed-offsets.ts'
import { orUnavailable, protocolErrorType } from './protocol-errors.ts'

// Node finds no export of that name in kafkajs; only the whole module has it.
const { ConfigResourceTypes } = kafkajs

const PING_TIMEOUT_MS = 5000

/** What a coordinator says while it moves or begins: a moment later it, or another, answers. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'OFFSET_NOT_AVAILABLE',
])
const PATIENCE_MS = 10_000

const withPatience = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!PASSING.has(protocolErrorType(error)) || performance.now() > deadline) {
        throw (
          accessDenied(what, error) ??
          new KafkaUnavailable(`${what} cannot be read: ${describeError(error)}`, { cause: error })
        )
      }
    }
    await sleep(100)
  }
}

/** What a broker says of a topic that the controller has just made, until it has heard of it or a leader is chosen. */
const NOT_YET_THERE: ReadonlySet<string | undefined> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])

/** Waits until the brokers know a topic that was made a moment ago, by us or by another. */
const untilKnown = async (admin: Admin, topic: string): Promise<void> => {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: [topic] })
      return
    } catch (error) {
      if (!NOT_YET_THERE.has(protocolErrorType(error)) || performance.now() > deadline) {
        throw new KafkaUnavailable(`topic ${topic} was created and cannot be read: ${describeError(error)}`, {
          cause: error,
        })
      }
    }
    await sleep(50)
  }
}

const createTopic = async (admin: Admin, spec: TopicSpec): Promise<void> => {
  try {
    await admin.createTopics({
      // kafkajs' own waiting gives up where a broker has not heard of the topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor: spec.replicationFactor,
          configEntries: Object.entries(spec.config ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  } catch (error) {
    if (protocolErrorType(error) !== 'TOPIC_ALREADY_EXISTS') {
      throw new KafkaUnsuitable(
        `topic ${spec.name} (${spec.partitions} partitions, replication factor ${spec.replicationFactor}) could not be created: ${describeError(error)}`,
        { cause: error },
      )
    }
  }
  await untilKnown(admin, spec.name)
}

export const createKafkaAdmin = async (kafka: Kafka): Promise<KafkaAdmin> => {
  const admin = kafka.admin()
  admin.on('admin.network.request_timeout', ({ payload }) => breakConnections(kafka, payload.broker))
  await orUnavailable('Kafka cannot be reached', admin.connect())

  let cluster: InternalCluster | undefined
  const offsetsOf = (topic: string, timestamp: number, readCommitted = true): Promise<Map<number, bigint>> =>
    withPatience(`the offsets of ${topic}`, async () => {
      cluster ??= clusterOf(kafka)
      try {
        return await listedOffsets(cluster, topic, timestamp, readCommitted)
      } catch (error) {
        // The leader may be another by now.
        await cluster.refreshMetadata().catch(() => undefined)
        throw error
      }
    })

  const partitionsOf = async (topic: string): Promise<number> => {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]?.partitions.length ?? 0
    } catch (error) {
      if (protocolErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
        throw new KafkaUnsuitable(`topic ${topic} does not exist; create it first`, { cause: error })
      }
      throw new KafkaUnavailable(`the partitions of ${topic} are not known: ${describeError(error)}`, { cause: error })
    }
  }

  return {
    partitionsOf,

    ensureTopics: async (topics) => {
      const existing = new Set(await orUnavailable('the topics cannot be listed', admin.listTopics()))
      for (const spec of topics) {
        if (!existing.has(spec.name)) await createTopic(admin, spec)
      }
    },

    topicConfig: async (topic) => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
      const described = await withPatience(`the configuration of ${topic}`, () =>
        admin.describeConfigs({ resources, includeSynonyms: false }),
      )
      const entries = described.resources[0]?.configEntries ?? []
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
    },

    offsetRanges: async (topic, to = 'stable-end') => {
      const [starts, ends] = [await offsetsOf(topic, EARLIEST), await offsetsOf(topic, LATEST, to === 'stable-end')]
      return new Map(Array.from(starts, ([partition, from]) => [partition, { from, to: ends.get(partition) ?? from }]))
    },

    offsetsAt: async (topic, timestampMs) => {
      const found = await offsetsOf(topic, timestampMs)
      const ends = [...found.values()].some((offset) => offset < 0n) ? await offsetsOf(topic, LATEST) : found
      return new Map(
        Array.from(found, ([partition, offset]) => [partition, offset < 0n ? ends.get(partition)! : offset]),
      )
    },

    consumerLag: async (group, topic) => {
      // The end with what open transactions have written: what waits behind one is not done.
      const [starts, ends, committed] = await Promise.all([
        offsetsOf(topic, EARLIEST),
        offsetsOf(topic, LATEST, false),
        withPatience(`the lag of ${group} on ${topic}`, () => admin.fetchOffsets({ groupId: group, topics: [topic] })),
      ])
      const offsets = new Map(committed[0]?.partitions.map((p) => [p.partition, BigInt(p.offset)]))
      return new Map(
        Array.from(starts, ([partition, start]) => {
          const offset = offsets.get(partition)
          // Nothing committed yet: everything that the log still holds is waiting.
          const from = offset === undefined || offset < 0n ? start : offset
          return [partition, (ends.get(partition) ?? from) - from]
        }),
      )
    },

    ping: async () => {
      const late = (): Error => new Error(`no reply within ${PING_TIMEOUT_MS} ms`)
      try {
        await withDeadline(admin.describeCluster(), PING_TIMEOUT_MS, late)
      } catch (error) {
        throw new KafkaUnavailable(`Kafka does not answer: ${describeError(error)}`, { cause: error })
      }
    },

    close: async () => {
      await Promise.all([admin.disconnect(), cluster?.disconnect()])
    },
  }
}
