import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { ConsumerStalled, StopDeadlinePassed } from '../kafka-errors.ts'
import type { ConsumerObserver, OffsetRange, RunningConsumer } from '../kafka-types.ts'
import { createCoordinatorPort } from './coordinator-port.ts'
import { createFetcher } from './fetcher.ts'
import type { TopicPartitions } from './group-assignment.ts'
import { createGroupMember, joinTimeoutMs, type MemberIdentity } from './group-member.ts'
import type { Network } from './network.ts'
import { createPartitionLoop, type PartitionLoop } from './partition-loop.ts'
import type { PartitionWork } from './partition-work.ts'
import { withDeadline } from './with-timeout.ts'

/** What the work of a partition may ask of the consumer that it belongs to. */
export type SessionPorts = {
  readonly identity: () => MemberIdentity | null
  /** Whether the partition is still given to this member. */
  readonly assigned: () => boolean
}

export type ConsumerSessionOptions = {
  readonly network: Network
  readonly logger: Logger
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly chunkMaxRecords: number
  readonly chunkGoalMs: number
  readonly chunkSafetyMs: number
  /** Records at hand and none gone through for this long: the consumer ends. */
  readonly stallTimeoutMs: number
  /** How long chunks at hand may hold up joining the group anew; without it they go on meanwhile. */
  readonly settleMs?: number
  readonly bounds?: ReadonlyMap<number, OffsetRange>
  /** Committed offsets, to see what others have done of the bounds. */
  readonly committed?: (partitions: readonly number[]) => Promise<ReadonlyMap<number, bigint>>
  readonly observer: ConsumerObserver | undefined
  readonly createWork: (topic: string, partition: number, ports: SessionPorts) => PartitionWork
}

const DEFAULT_STOP_DEADLINE_MS = 30_000
const BOUNDS_INTERVAL_MS = 250

/**
 * A member of a consumer group with a loop per partition. Resolves when the group was joined.
 * `done` rejects when the consumer cannot go on; whoever runs it should then end the process.
 */
export const startConsumerSession = async (options: ConsumerSessionOptions): Promise<RunningConsumer> => {
  const { network, logger, group, topics, sessionTimeoutMs, stallTimeoutMs, settleMs = 0, bounds, observer } = options
  const { cluster } = network
  const done = Promise.withResolvers<void>()
  done.promise.catch(() => undefined)
  const loops = new Map<string, PartitionLoop>()
  /** Loops that are closed and not through; a partition that comes back waits for its older loop. */
  const leaving = new Map<string, PartitionLoop>()
  /** Partitions of the bounds that are not known to be committed to their end. */
  const open = new Set([...(bounds ?? [])].filter(([, { from, to }]) => from < to).map(([partition]) => partition))
  let ended = false

  const fetcher = createFetcher({ logger, cluster, pool: network.pool('fetch'), observer })

  const closeEverything = (): void => {
    clearInterval(watchdog)
    clearInterval(boundsTimer)
    for (const loop of loops.values()) loop.close()
    fetcher.close()
    member.close()
    network.close()
  }

  const fail = (error: Error): void => {
    if (ended) return
    ended = true
    logger.error({ group, topics }, `consumer ends: ${describeError(error)}`)
    closeEverything()
    done.reject(error)
  }

  const drop = (key: string, loop: PartitionLoop): void => {
    loops.delete(key)
    loop.close()
    leaving.set(key, loop)
    loop.ended.then(() => {
      if (leaving.get(key) === loop) leaving.delete(key)
    })
  }

  /** Chunks at hand are ended; then the member leaves, so that others take over at once. */
  const leave = async (): Promise<void> => {
    clearInterval(boundsTimer)
    for (const [key, loop] of [...loops]) drop(key, loop)
    await Promise.all([...leaving.values()].map((loop) => loop.ended))
    await member.leave()
    closeEverything()
  }

  const finishWhenBoundsAreReached = (): void => {
    if (bounds === undefined || open.size > 0 || ended) return
    ended = true
    leave().then(done.resolve, done.reject)
  }

  const begin = (key: string, topic: string, partition: number): PartitionLoop =>
    createPartitionLoop(
      {
        ...{ logger, topic, partition, fetcher, observer, fail },
        chunkMaxRecords: options.chunkMaxRecords,
        chunkGoalMs: options.chunkGoalMs,
        chunkSafetyMs: options.chunkSafetyMs,
        endOffset: bounds?.get(partition)?.to,
        onFinished: () => {
          open.delete(partition)
          finishWhenBoundsAreReached()
        },
        doubt: () => member.check(),
      },
      options.createWork(topic, partition, {
        identity: () => member.identity(),
        assigned: () => loops.has(key) && !leaving.has(key),
      }),
      leaving.get(key)?.ended ?? Promise.resolve(),
    )

  const onAssigned = (assignment: readonly TopicPartitions[]): void => {
    if (ended) return
    const assigned = new Map<string, { topic: string; partition: number }>()
    for (const { topic, partitions } of assignment) {
      for (const partition of partitions) {
        const range = bounds?.get(partition)
        if (bounds !== undefined && (range === undefined || range.from >= range.to)) continue
        assigned.set(`${topic}-${partition}`, { topic, partition })
      }
    }
    let revoked = 0
    for (const [key, loop] of [...loops]) {
      if (assigned.has(key)) {
        loop.onConfirmed()
        continue
      }
      drop(key, loop)
      revoked++
    }
    for (const [key, { topic, partition }] of assigned) {
      if (!loops.has(key)) loops.set(key, begin(key, topic, partition))
    }
    observer?.rebalanced?.({ partitions: assigned.size, revoked })
  }

  /** Lets chunks that are in work end, so that nobody else is given their records again. */
  const settle = async (): Promise<void> => {
    const deadline = performance.now() + settleMs
    const isBusy = (): boolean => [...loops.values()].some((loop) => loop.busySince() !== null)
    for (const loop of loops.values()) loop.hold()
    while (isBusy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  const membership = network.pool('membership', { requestTimeoutMs: joinTimeoutMs(sessionTimeoutMs) })
  const member = createGroupMember({
    ...{ logger, group, topics, sessionTimeoutMs, fail, onAssigned },
    coordinator: createCoordinatorPort({ cluster, pool: membership }, 'group', group),
    partitionCounts: async (names) => {
      const counts = new Map<string, number>()
      for (const name of names) {
        cluster.forgetTopic(name)
        counts.set(name, (await cluster.topic(name)).partitions.length)
      }
      return counts
    },
    ...(settleMs > 0 ? { beforeJoin: settle } : {}),
    onLost: () => {
      for (const [key, loop] of [...loops]) drop(key, loop)
    },
    onConfirmed: () => {
      for (const loop of loops.values()) loop.onConfirmed()
    },
  })

  const watchdog = setInterval(
    () => {
      const now = performance.now()
      for (const [key, loop] of [...loops, ...leaving]) {
        const since = loop.busySince()
        if (since === null || now - since <= stallTimeoutMs) continue
        fail(new ConsumerStalled(`${key} has records at hand and none went through for ${Math.round(now - since)} ms`))
      }
    },
    Math.min(1000, stallTimeoutMs / 4),
  )

  /** Others of the group may have done a part of the bounds. */
  const boundsTimer = setInterval(() => {
    const others = [...open].filter((partition) => !loops.has(`${topics[0]}-${partition}`))
    if (ended || options.committed === undefined || others.length === 0) return
    options
      .committed(others)
      .then((committed) => {
        for (const [partition, offset] of committed) {
          const range = bounds?.get(partition)
          if (range !== undefined && offset >= range.to) open.delete(partition)
        }
        finishWhenBoundsAreReached()
      })
      .catch((error) => logger.debug({ group }, `the offsets of others are not known: ${describeError(error)}`))
  }, BOUNDS_INTERVAL_MS)

  try {
    for (const topic of topics) await cluster.topic(topic)
    await member.start()
    finishWhenBoundsAreReached()
  } catch (error) {
    ended = true
    closeEverything()
    throw error
  }

  const tooLate = (deadlineMs: number): StopDeadlinePassed =>
    new StopDeadlinePassed(`consumer group ${group} did not stop within ${deadlineMs} ms`)

  let stopping: Promise<void> | undefined
  return {
    done: done.promise,
    stop: ({ deadlineMs = DEFAULT_STOP_DEADLINE_MS } = {}) => {
      stopping ??= (async () => {
        if (ended) return
        ended = true
        try {
          await withDeadline(leave(), deadlineMs, () => tooLate(deadlineMs))
          done.resolve()
        } catch (error) {
          closeEverything()
          done.reject(error)
          throw error
        }
      })()
      return stopping
    },
  }
}
