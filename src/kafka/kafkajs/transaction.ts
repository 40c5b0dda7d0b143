import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { KafkaUnavailable } from '../kafka-errors.ts'
import type { EncodedBatch } from '../wire/produce-protocol.ts'
import { type BatchSink, nextSequence } from '../wire/record-sink.ts'
import { initProducerId, NOBODY, type ProducerId } from './init-producer-id.ts'
import { clusterOf, type InternalBroker, TRANSACTION_COORDINATOR } from './internals.ts'
import { produceTo } from './produce-request.ts'
import { protocolErrorType } from './protocol-errors.ts'

/** Writes transactions under one id, one after another. After a failure of a step only `init` or `close` may follow. */
export type TransactionWriter = {
  /**
   * Initialises the id: older owners can write no more, and what they left open is aborted. Called again it ends the
   * transaction at hand; that fails for a writer that was fenced meanwhile.
   */
  readonly init: () => Promise<void>
  /** Writes the records of the sink in the transaction at hand; begins one where there is none. */
  readonly write: (sink: BatchSink) => Promise<void>
  /** Takes the next offset of a consumer group into the transaction at hand; begins one where there is none. */
  readonly addOffset: (group: string, topic: string, partition: number, nextOffset: bigint) => Promise<void>
  readonly commit: () => Promise<void>
  readonly close: () => Promise<void>
}

const INIT_PATIENCE_MS = 10_000
const PREVIOUS_PATIENCE_MS = 2000

/** A coordinator that moves, or that still ends the transaction of an older owner. */
const PASSING_AT_INIT: ReadonlySet<string | undefined> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
])

/** A coordinator that still writes the markers of the transaction before; nothing was done then. */
const PREVIOUS_NOT_ENDED: ReadonlySet<string | undefined> = new Set(['CONCURRENT_TRANSACTIONS'])

const whilePassing = async <T>(
  passing: ReadonlySet<string | undefined>,
  patienceMs: number,
  call: () => Promise<T>,
): Promise<T> => {
  const deadline = performance.now() + patienceMs
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 100)) {
    try {
      return await call()
    } catch (error) {
      if (!passing.has(protocolErrorType(error)) || performance.now() > deadline) throw error
    }
    await sleep(waitMs * (0.5 + Math.random() / 2))
  }
}

const byTopic = (batches: readonly EncodedBatch[]): { topic: string; partitions: number[] }[] => {
  const topics = new Map<string, Set<number>>()
  for (const { topic, partition } of batches) {
    const partitions = topics.get(topic) ?? new Set()
    topics.set(topic, partitions.add(partition))
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions: [...partitions] }))
}

/**
 * Transactions on kafkajs' connections and small requests. Its own transactional producer looks for the coordinator
 * before each step, waits for each reply before the next request, and makes several objects of each record.
 */
export const createTransactionWriter = (options: {
  /** A client of this writer's own. */
  readonly kafka: Kafka
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
}): TransactionWriter => {
  const { kafka, transactionalId, transactionTimeoutMs } = options
  const cluster = clusterOf(kafka)
  const sequences = new Map<string, number>()
  const groupCoordinators = new Map<string, InternalBroker>()
  let closed = false
  let coordinator: InternalBroker | undefined
  let identity: (ProducerId & { transactionalId: string }) | undefined

  /** kafkajs would open its connections again, and nobody would close them. */
  const refuseClosed = (): void => {
    if (closed) throw new KafkaUnavailable(`the producer ${transactionalId} was closed meanwhile`)
  }

  const opened = (): { coordinator: InternalBroker; identity: NonNullable<typeof identity> } => {
    refuseClosed()
    if (coordinator === undefined || identity === undefined) throw new Error(`${transactionalId} is not initialised`)
    return { coordinator, identity }
  }

  const keyOf = (topic: string, partition: number): string => `${topic}-${partition}`
  const sequenceOf = (topic: string, partition: number): number => sequences.get(keyOf(topic, partition)) ?? 0

  const groupCoordinatorOf = async (group: string): Promise<InternalBroker> => {
    const known = groupCoordinators.get(group)
    if (known !== undefined) return known
    const found = await cluster.findGroupCoordinator({ groupId: group })
    groupCoordinators.set(group, found)
    return found
  }

  /** Sends at most one batch of each partition, to the leaders at once. */
  const produce = async (batches: readonly EncodedBatch[]): Promise<void> => {
    const byLeader = new Map<number, EncodedBatch[]>()
    for (const batch of batches) {
      const partitions = cluster.findTopicPartitionMetadata(batch.topic)
      const leader = partitions.find(({ partitionId }) => partitionId === batch.partition)?.leader
      if (leader === undefined || leader < 0) {
        throw new KafkaUnavailable(`no broker leads ${batch.topic}-${batch.partition} now`)
      }
      const others = byLeader.get(leader)
      if (others === undefined) byLeader.set(leader, [batch])
      else others.push(batch)
    }
    await Promise.all(
      Array.from(byLeader, async ([nodeId, own]) => {
        const broker = await cluster.findBroker({ nodeId })
        await produceTo(broker, { transactionalId, timeoutMs: transactionTimeoutMs, batches: own })
      }),
    )
    for (const { topic, partition, baseSequence, records } of batches) {
      sequences.set(keyOf(topic, partition), nextSequence(baseSequence, records))
    }
  }

  return {
    init: async () => {
      await cluster.connect()
      // What failed may have gone to a broker that leads no more; nothing but this makes kafkajs ask again.
      if (identity !== undefined) await cluster.refreshMetadata()
      await whilePassing(PASSING_AT_INIT, INIT_PATIENCE_MS, async () => {
        refuseClosed()
        coordinator = await cluster.findGroupCoordinator({
          groupId: transactionalId,
          coordinatorType: TRANSACTION_COORDINATOR,
        })
        const given = await initProducerId(coordinator, transactionalId, transactionTimeoutMs, identity ?? NOBODY)
        identity = { transactionalId, ...given }
        sequences.clear()
      })
      if (!closed) return
      await cluster.disconnect()
      refuseClosed()
    },

    write: async (sink) => {
      const { identity } = opened()
      const rounds = sink.finish({
        producerId: BigInt(identity.producerId),
        producerEpoch: identity.producerEpoch,
        transactional: true,
        baseSequenceOf: sequenceOf,
      })
      const topics = byTopic(rounds.flat())
      if (topics.length === 0) return
      // Not beside the next request: while kafkajs asks for a topic that is not there, `init` would fail for that topic
      // too. For topics that it knows this waits for nothing.
      await cluster.addMultipleTargetTopics(topics.map(({ topic }) => topic))
      await whilePassing(PREVIOUS_NOT_ENDED, PREVIOUS_PATIENCE_MS, () =>
        opened().coordinator.addPartitionsToTxn({ ...identity, topics }),
      )
      for (const round of rounds) {
        opened()
        await produce(round)
      }
    },

    addOffset: async (group, topic, partition, nextOffset) => {
      const { identity } = opened()
      const [groupCoordinator] = await Promise.all([
        groupCoordinatorOf(group),
        whilePassing(PREVIOUS_NOT_ENDED, PREVIOUS_PATIENCE_MS, () =>
          opened().coordinator.addOffsetsToTxn({ ...identity, groupId: group }),
        ),
      ])
      const topics = [{ topic, partitions: [{ partition, offset: nextOffset.toString() }] }]
      opened()
      await groupCoordinator.txnOffsetCommit({ ...identity, groupId: group, topics })
    },

    commit: async () => {
      const { coordinator, identity } = opened()
      await coordinator.endTxn({ ...identity, transactionResult: true })
    },

    close: async () => {
      closed = true
      await cluster.disconnect()
    },
  }
}
