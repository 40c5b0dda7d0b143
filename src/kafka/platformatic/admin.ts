import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigResourceTypes,
  createTopicsV5,
  createTopicsV7,
  describeConfigsV2,
  describeConfigsV4,
  offsetFetchV7,
} from '@platformatic/kafka'
import { describeError } from '../../errors.ts'
import { KafkaUnavailable, KafkaUnsuitable } from '../kafka-errors.ts'
import type { KafkaAdmin, TopicSpec } from '../kafka-types.ts'
import { withTimeout } from '../with-timeout.ts'
import { type LogPlace, logOffsets } from './log-offsets.ts'
import type { OpenNetwork } from './network.ts'
import { mayPass, withPatience } from './patience.ts'
import {
  asUnavailable,
  BrokerRefused,
  errorName,
  isCoordinatorMoved,
  protocolErrorType,
  replyOf,
} from './protocol-errors.ts'

const CONNECT_PATIENCE_MS = 5000
const PATIENCE_MS = 10_000
const PING_TIMEOUT_MS = 5000
/** A request that is lost is sent again while there is patience. */
const REQUEST_TIMEOUT_MS = 5000
const CREATE_TIMEOUT_MS = 4000

/** Asks brokers about topics and groups, on connections of its own. @throws KafkaUnavailable, KafkaAccessDenied */
export const createKafkaAdmin = async ({ openNetwork }: { readonly openNetwork: OpenNetwork }): Promise<KafkaAdmin> => {
  const network = openNetwork('admin')
  const { cluster } = network
  const pool = network.pool('requests', { requestTimeoutMs: REQUEST_TIMEOUT_MS })
  const offsetsDeps = { cluster, pool }

  const patiently = <T>(what: string, ask: () => Promise<T>): Promise<T> => withPatience(what, PATIENCE_MS, ask)

  /** Fresh: a caller that counts partitions may have just made them. */
  const partitionsOf = async (topic: string): Promise<number[]> => {
    const found = await cluster.findTopic(topic)
    if (found === null) throw new KafkaUnsuitable(`topic ${topic} does not exist; create it first`)
    return found.partitions.map(({ partition }) => partition)
  }

  const offsetsOf = async (topic: string, partitions: readonly number[], place: LogPlace) => {
    const found = await logOffsets(offsetsDeps, topic, partitions, place)
    return (partition: number): bigint => {
      const offset = found.get(partition)
      if (offset === undefined) throw new KafkaUnavailable(`the broker gave no offset of ${topic}-${partition}`)
      return offset
    }
  }

  const committedOffsets = async (group: string, topic: string, partitions: readonly number[]) => {
    const link = await pool.link(await cluster.coordinatorOf('group', group))
    const asked = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [...partitions] }] }]
    const reply = await link.call('OffsetFetch 7', [offsetFetchV7.api], asked, false)
    const found = reply.topics.find(({ name }) => name === topic)?.partitions ?? []
    return new Map(found.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]))
  }

  /** Waits until the brokers know a topic that was made a moment ago, by us or by another, and who leads it. */
  const untilKnown = async (topic: string): Promise<void> => {
    const deadline = performance.now() + PATIENCE_MS
    for (let reason = 'no broker knows it'; ; ) {
      try {
        const found = await cluster.findTopic(topic)
        if (found?.partitions.every(({ leaderId }) => leaderId >= 0)) return
        if (found !== null) reason = 'not all of its partitions have a leader'
      } catch (error) {
        if (!mayPass(error)) throw asUnavailable(`topic ${topic} was created and cannot be read`, error)
        reason = describeError(error)
      }
      if (performance.now() > deadline) {
        throw new KafkaUnavailable(`topic ${topic} was created and cannot be read: ${reason}`)
      }
      await sleep(50)
    }
  }

  const createTopic = async (spec: TopicSpec): Promise<void> => {
    const topic = {
      name: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: spec.replicationFactor,
      assignments: [],
      configs: Object.entries(spec.config ?? {}).map(([name, value]) => ({ name, value })),
    }
    const apis = [createTopicsV7.api, createTopicsV5.api]
    const what = `topic ${spec.name} (${spec.partitions} partitions, replication factor ${spec.replicationFactor}) could not be created`
    const { errorCode, errorMessage } = await patiently(what, async () => {
      const link = await pool.link(await cluster.controller())
      const reply = await replyOf(link.call('CreateTopics 5', apis, [topic], CREATE_TIMEOUT_MS, false))
      const made = reply.topics[0]
      if (made === undefined) throw new KafkaUnavailable(`${what}: the broker did not answer for it`)
      const refused = new BrokerRefused(what, made.errorCode)
      if (made.errorCode !== 0 && refused.retryable) throw refused
      return made
    })
    const error = errorName(errorCode)
    if (errorCode !== 0 && error !== 'TOPIC_ALREADY_EXISTS') {
      throw new KafkaUnsuitable(`${what}: ${error}${errorMessage === null ? '' : `, ${errorMessage}`}`)
    }
    await untilKnown(spec.name)
  }

  try {
    await withPatience('Kafka cannot be reached', CONNECT_PATIENCE_MS, cluster.nodes)
  } catch (error) {
    network.close()
    throw error
  }

  return {
    partitionsOf: async (topic) =>
      (await patiently(`the partitions of ${topic} are not known`, () => partitionsOf(topic))).length,

    ensureTopics: async (topics) => {
      for (const spec of topics) {
        const found = await patiently(`topic ${spec.name} cannot be read`, () => cluster.findTopic(spec.name))
        if (found === null) await createTopic(spec)
      }
    },

    topicConfig: async (topic) => {
      const what = `the configuration of ${topic} cannot be read`
      const asked = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: null }]
      const { configs } = await patiently(what, async () => {
        const apis = [describeConfigsV4.api, describeConfigsV2.api]
        const reply = await cluster.askAny((link) => replyOf(link.call('DescribeConfigs 2', apis, asked)))
        const found = reply.results[0]
        if (found === undefined) throw new KafkaUnavailable(`${what}: the broker did not answer for it`)
        if (errorName(found.errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') {
          throw new KafkaUnsuitable(`topic ${topic} does not exist; create it first`)
        }
        if (found.errorCode !== 0) throw new BrokerRefused(what, found.errorCode)
        return found
      })
      return new Map(configs.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : [])))
    },

    offsetRanges: (topic, to = 'stable-end') =>
      patiently(`the offsets of ${topic} cannot be read`, async () => {
        const partitions = await partitionsOf(topic)
        // Read first, it cannot lie behind an end that is read later.
        const start = await offsetsOf(topic, partitions, 'start')
        const end = await offsetsOf(topic, partitions, to)
        return new Map(partitions.map((partition) => [partition, { from: start(partition), to: end(partition) }]))
      }),

    offsetsAt: (topic, timestampMs) =>
      patiently(`the offsets of ${topic} cannot be read`, async () => {
        const partitions = await partitionsOf(topic)
        const found = await logOffsets(offsetsDeps, topic, partitions, { timestampMs })
        const end = await offsetsOf(topic, partitions, 'stable-end')
        return new Map(partitions.map((partition) => [partition, found.get(partition) ?? end(partition)]))
      }),

    consumerLag: (group, topic) =>
      patiently(`the lag of ${group} on ${topic} cannot be read`, async () => {
        const partitions = await partitionsOf(topic)
        try {
          const [start, end, committed] = await Promise.all([
            offsetsOf(topic, partitions, 'start'),
            offsetsOf(topic, partitions, 'end'),
            committedOffsets(group, topic, partitions),
          ])
          return new Map(
            partitions.map((partition) => {
              const offset = committed.get(partition) ?? -1n
              // Nothing committed yet: everything that the log still holds is waiting.
              return [partition, end(partition) - (offset < 0n ? start(partition) : offset)]
            }),
          )
        } catch (error) {
          // A coordinator that is gone has not said so.
          if (isCoordinatorMoved(error) || protocolErrorType(error) === undefined) {
            cluster.forgetCoordinator('group', group)
          }
          throw error
        }
      }),

    ping: async () => {
      try {
        await withTimeout(cluster.nodes(), PING_TIMEOUT_MS, 'no reply')
      } catch (error) {
        throw asUnavailable('Kafka does not answer', error)
      }
    },

    close: async () => network.close(),
  }
}
