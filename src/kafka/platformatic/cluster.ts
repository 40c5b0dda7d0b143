import { setTimeout as sleep } from 'node:timers/promises'
import {
  type API,
  FindCoordinatorKeyTypes,
  findCoordinatorV3,
  findCoordinatorV4,
  metadataV9,
  metadataV12,
} from '@platformatic/kafka'
import { AppError, describeError } from '../../errors.ts'
import { KafkaAccessDenied, KafkaUnavailable, KafkaUnsuitable } from '../kafka-errors.ts'
import { addressKey, type BrokerAddress, type BrokerLink, type ConnectionPool } from './connections.ts'
import { BrokerRefused, errorName, protocolErrorType, replyOf } from './protocol-errors.ts'

export type BrokerNode = BrokerAddress & { readonly nodeId: number }

export type PartitionMetadata = {
  readonly partition: number
  /** The broker that leads it; -1 while none does. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

export type TopicMetadata = {
  readonly name: string
  /** Its id, by which newer requests name it; null where the brokers have none (before Kafka 2.8). */
  readonly id: string | null
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionMetadata[]
}

export type CoordinatorKind = 'group' | 'transaction'

/** What is known of the brokers: read when it is asked for, and forgotten when an answer shows that it is wrong. */
export type Cluster = {
  /** All brokers, as one of them knows them now. */
  readonly nodes: () => Promise<readonly BrokerNode[]>
  /** The broker that makes topics. */
  readonly controller: () => Promise<BrokerNode>
  /** @throws KafkaUnsuitable where there is no such topic; KafkaUnavailable */
  readonly topic: (name: string) => Promise<TopicMetadata>
  /** As the brokers know it now; null where there is none. */
  readonly findTopic: (name: string) => Promise<TopicMetadata | null>
  /** @throws KafkaUnavailable while the partition has no leader; as `topic` */
  readonly leaderOf: (topic: string, partition: number) => Promise<BrokerNode>
  /** What was known of the topic is wrong: a leader moved, or the topic was made anew. */
  readonly forgetTopic: (name: string) => void
  /** @throws KafkaUnavailable while there is none; it may be there a moment later */
  readonly coordinatorOf: (kind: CoordinatorKind, key: string) => Promise<BrokerNode>
  readonly forgetCoordinator: (kind: CoordinatorKind, key: string) => void
  /** Asks the first broker that can be reached. */
  readonly askAny: <T>(ask: (link: BrokerLink) => Promise<T>) => Promise<T>
}

export type ClusterOptions = {
  /** host:port, one or more. */
  readonly brokers: readonly string[]
  /** The connections on which metadata and coordinators are asked for. */
  readonly pool: ConnectionPool
  /** How long metadata is believed; new partitions are seen after this time. */
  readonly maxAgeMs?: number
}

type MetadataReply = {
  readonly brokers: readonly BrokerNode[]
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    readonly topicId?: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly leaderId: number
      readonly leaderEpoch: number
    }[]
  }[]
}
type MetadataApi = API<[topics: string[] | null, allowAutoTopicCreation?: boolean], MetadataReply>

// Topics have ids since version 10. Brokers of Kafka 2.5 know 9, those since 3.1 know 12.
const METADATA: readonly MetadataApi[] = [metadataV12.api as MetadataApi, metadataV9.api as MetadataApi]

const MAX_AGE_MS = 60_000
/** A broker may not have heard yet of a topic that was made a moment ago. */
const UNKNOWN_PATIENCE_MS = 1000
const NO_ID = '00000000-0000-0000-0000-000000000000'

/** @throws KafkaUnsuitable */
export const parseBroker = (text: string): BrokerAddress => {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text.trim())
  const host = match?.groups?.['v6'] ?? match?.groups?.['name']
  const port = Number(match?.groups?.['port'])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new KafkaUnsuitable(`'${text}' is no address of a broker; write host:port`)
  }
  return { host, port }
}

type Aged<T> = { readonly value: Promise<T>; readonly sinceMs: number }

/** Values by key that are asked for once, however many wait for them, and not kept when asking failed. */
const createAgedCache = <T>(maxAgeMs: number, ask: (key: string) => Promise<T>) => {
  const known = new Map<string, Aged<T>>()
  return {
    get: (key: string): Promise<T> => {
      const found = known.get(key)
      if (found !== undefined && performance.now() - found.sinceMs < maxAgeMs) return found.value
      const entry: Aged<T> = { value: ask(key), sinceMs: performance.now() }
      known.set(key, entry)
      entry.value.catch(() => {
        if (known.get(key) === entry) known.delete(key)
      })
      return entry.value
    },
    forget: (key: string): void => {
      known.delete(key)
    },
  }
}

export const createCluster = (options: ClusterOptions): Cluster => {
  const { pool, maxAgeMs = MAX_AGE_MS } = options
  const bootstrap = options.brokers.map(parseBroker)
  if (bootstrap.length === 0) throw new KafkaUnsuitable('no broker is named; give at least one host:port')
  let known: readonly BrokerNode[] = []
  /** Who answered last goes first: one that hangs is waited for once, not every time. */
  let answered: BrokerAddress | undefined

  const askAny = async <T>(ask: (link: BrokerLink) => Promise<T>): Promise<T> => {
    const first = answered === undefined ? [] : [answered]
    const candidates = new Map([...first, ...known, ...bootstrap].map((address) => [addressKey(address), address]))
    const errors: unknown[] = []
    for (const address of candidates.values()) {
      try {
        const reply = await ask(await pool.link(address))
        answered = address
        return reply
      } catch (error) {
        if (error instanceof KafkaUnsuitable || error instanceof KafkaAccessDenied) throw error
        // A refusal is an answer, and another broker would give the same.
        if (protocolErrorType(error) !== undefined) throw error
        errors.push(error)
      }
    }
    // Brokers that are known may all be gone, and their successors known to the first addresses only.
    known = []
    answered = undefined
    throw new KafkaUnavailable(`no broker answers: ${errors.map(describeError).join('; ')}`, {
      cause: errors.at(-1),
      // A pool that is closed stays closed.
      retryable: !errors.some((error) => error instanceof AppError && !error.retryable),
    })
  }

  const readMetadata = (topics: string[] | null): Promise<MetadataReply> =>
    askAny(async (link) => {
      const reply = await replyOf(link.call('Metadata 9', METADATA, topics, false))
      if (reply.brokers.length > 0) known = reply.brokers
      return reply
    })

  const findTopic = async (name: string): Promise<TopicMetadata | null> => {
    const found = (await readMetadata([name])).topics.find((topic) => topic.name === name)
    if (found === undefined || errorName(found.errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') return null
    if (found.errorCode !== 0) throw new BrokerRefused(`the metadata of ${name} cannot be read`, found.errorCode)
    return {
      name,
      id: found.topicId === undefined || found.topicId === NO_ID ? null : found.topicId,
      partitions: found.partitions
        .map(({ partitionIndex, leaderId, leaderEpoch }) => ({ partition: partitionIndex, leaderId, leaderEpoch }))
        .sort((a, b) => a.partition - b.partition),
    }
  }

  const readTopic = async (name: string): Promise<TopicMetadata> => {
    const deadline = performance.now() + UNKNOWN_PATIENCE_MS
    for (;;) {
      const found = await findTopic(name)
      if (found !== null) return found
      if (performance.now() > deadline) throw new KafkaUnsuitable(`topic ${name} does not exist; create it first`)
      await sleep(100)
    }
  }

  const nodeOf = async (nodeId: number, what: string): Promise<BrokerNode> => {
    const find = () => known.find((node) => node.nodeId === nodeId)
    if (nodeId >= 0 && find() === undefined) await readMetadata([])
    const node = nodeId < 0 ? undefined : find()
    if (node === undefined) throw new KafkaUnavailable(`${what} has no broker that leads it at the moment`)
    return node
  }

  const findCoordinator = (kind: CoordinatorKind, key: string): Promise<BrokerNode> =>
    askAny(async (link) => {
      const keyType = FindCoordinatorKeyTypes[kind === 'group' ? 'GROUP' : 'TRANSACTION']
      const apis = [findCoordinatorV4.api, findCoordinatorV3.api]
      const reply = await replyOf(link.call('FindCoordinator 3', apis, keyType, [key]))
      const found = reply.coordinators[0]
      const what = `the coordinator of ${kind} ${key} is not known`
      if (found === undefined) throw new KafkaUnavailable(what)
      if (found.errorCode !== 0) throw new BrokerRefused(what, found.errorCode)
      return { nodeId: found.nodeId, host: found.host, port: found.port }
    })

  const topics = createAgedCache(maxAgeMs, readTopic)
  const coordinators = {
    group: createAgedCache(Number.POSITIVE_INFINITY, (key) => findCoordinator('group', key)),
    transaction: createAgedCache(Number.POSITIVE_INFINITY, (key) => findCoordinator('transaction', key)),
  }

  return {
    nodes: async () => (await readMetadata([])).brokers,
    controller: async () => {
      const { controllerId } = await readMetadata([])
      return await nodeOf(controllerId, 'the cluster')
    },
    topic: topics.get,
    findTopic,
    leaderOf: async (topic, partition) => {
      const what = `${topic}-${partition}`
      const found = (await topics.get(topic)).partitions.find((p) => p.partition === partition)
      if (found === undefined) throw new KafkaUnsuitable(`there is no partition ${partition} of topic ${topic}`)
      try {
        return await nodeOf(found.leaderId, what)
      } catch (error) {
        topics.forget(topic)
        throw error
      }
    },
    forgetTopic: topics.forget,
    coordinatorOf: (kind, key) => coordinators[kind].get(key),
    forgetCoordinator: (kind, key) => coordinators[kind].forget(key),
    askAny,
  }
}
