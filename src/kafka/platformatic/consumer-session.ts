import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { ConsumerStalled, StopDeadlinePassed } from '../kafka-errors.ts'
import type { ConsumerObserver, OffsetRange, RunningConsumer } from '../kafka-types.ts'
import type { HeartbeatGate } from '../transaction-steps.ts'
import { withDeadline } from '../with-timeout.ts'
import { createCoordinatorPort } from './coordinator-port.ts'
import { createFetcher } from './fetcher.ts'
import type { TopicPartitions } from './group-assignment.ts'
import { createGroupMember, joinTimeoutMs, type MemberIdentity } from './group-member.ts'
import type { Network } from './network.ts'
import { createPartitionLoop, type LoopHost } from './partition-loop.ts'
import { createPartitionLoops } from './partition-loops.ts'
import type { PartitionWork } from './partition-work.ts'

/** What the work of a partition may ask of the consumer that it belongs to. */
export type SessionPorts = {
  readonly identity: () => MemberIdentity | null
  /** The identity in which all that is ours was given to us; null while the group is joined anew. */
  readonly tenure: () => MemberIdentity | null
  /** Whether the partition is still given to this member. */
  readonly assigned: () => boolean
  /** Whether others may have the partition by now. False while the consumer stops in order. */
  readonly givenUp: () => boolean
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
  /** Waited for before the group is joined anew. */
  readonly beforeJoin?: () => Promise<void>
  /** How long chunks at hand may hold up joining the group anew; without it they go on meanwhile. */
  readonly settleMs?: number
  readonly bounds?: ReadonlyMap<number, OffsetRange>
  /** Committed offsets, to see what others have done of the bounds. */
  readonly committed?: (partitions: readonly number[]) => Promise<ReadonlyMap<number, bigint>>
  readonly observer: ConsumerObserver | undefined
  readonly beforeHeartbeat: HeartbeatGate | undefined
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
  /** Partitions of the bounds that are not known to be committed to their end. */
  const open = new Set([...(bounds ?? [])].filter(([, { from, to }]) => from < to).map(([partition]) => partition))
  let ended = false

  const fetcher = createFetcher({ logger, cluster, pool: network.pool('fetch'), observer })

  const closeEverything = (): void => {
    clearInterval(watchdog)
    clearInterval(boundsTimer)
    loops.closeAll()
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

  /** Chunks at hand are ended; then the member leaves, so that others take over at once. */
  const leave = async (): Promise<void> => {
    clearInterval(boundsTimer)
    loops.closeAll()
    await loops.settled()
    await member.leave()
    closeEverything()
  }

  const finishWhenBoundsAreReached = (): void => {
    if (bounds === undefined || open.size > 0 || ended) return
    ended = true
    leave().then(done.resolve, done.reject)
  }

  /** Partitions that share a transaction also share its failure, which is told once. */
  const told = new WeakSet<object>()
  const aborted: LoopHost['aborted'] = (batch, commitError) => {
    const known = commitError instanceof Error && told.has(commitError)
    if (commitError instanceof Error) told.add(commitError)
    if (!known) observer?.aborted?.(batch)
  }

  const loops = createPartitionLoops((place, after, givenUp) =>
    createPartitionLoop(
      {
        ...{ logger, ...place, fetcher, observer, aborted, fail },
        chunkMaxRecords: options.chunkMaxRecords,
        chunkGoalMs: options.chunkGoalMs,
        chunkSafetyMs: options.chunkSafetyMs,
        endOffset: bounds?.get(place.partition)?.to,
        onFinished: () => {
          open.delete(place.partition)
          finishWhenBoundsAreReached()
        },
        doubt: () => member.check(),
      },
      options.createWork(place.topic, place.partition, {
        identity: () => member.identity(),
        tenure: () => member.tenure(),
        assigned: () => loops.hasAlone(place),
        givenUp,
      }),
      after,
    ),
  )

  const isWanted = (partition: number): boolean => {
    const range = bounds?.get(partition)
    return bounds === undefined || (range !== undefined && range.from < range.to)
  }

  const onAssigned = (assignment: readonly TopicPartitions[]): void => {
    const places = assignment
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
      .filter(({ partition }) => isWanted(partition))
    // What a stop finds at hand is committed only where the partition is still ours.
    if (ended) {
      loops.giveUp(places)
      return
    }
    const revoked = loops.assign(places)
    observer?.rebalanced?.({ partitions: places.length, revoked })
  }

  /** Lets chunks that are in work end, so that nobody else is given their records again. */
  const settle = async (): Promise<void> => {
    const deadline = performance.now() + settleMs
    const isBusy = (): boolean => loops.current().some((loop) => loop.busySince() !== null)
    for (const loop of loops.current()) loop.hold()
    while (isBusy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  const membership = network.pool('membership', { requestTimeoutMs: joinTimeoutMs(sessionTimeoutMs) })
  const member = createGroupMember({
    ...{ logger, group, topics, sessionTimeoutMs, fail, onAssigned },
    coordinator: createCoordinatorPort({ cluster, pool: membership }, 'group', group),
    // A join that waits for the other members would hold up the leave behind it.
    farewell: createCoordinatorPort({ cluster, pool: network.pool('leave') }, 'group', group),
    beforeHeartbeat: options.beforeHeartbeat,
    partitionCounts: async (names) => {
      const counts = new Map<string, number>()
      for (const name of names) {
        cluster.forgetTopic(name)
        counts.set(name, (await cluster.topic(name)).partitions.length)
      }
      return counts
    },
    beforeJoin: async () => {
      if (settleMs > 0) await settle()
      await options.beforeJoin?.()
    },
    onLost: loops.giveUp,
    onConfirmed: () => {
      for (const loop of loops.current()) loop.onConfirmed()
    },
  })

  const watchdog = setInterval(
    () => {
      const stalled = loops.stalled(stallTimeoutMs)
      if (stalled === null) return
      const what = `${stalled.where} has records at hand and none went through for ${Math.round(stalled.ms)} ms`
      fail(new ConsumerStalled(what))
    },
    Math.min(1000, stallTimeoutMs / 4),
  )

  /** Others of the group may have done a part of the bounds. */
  const boundsTimer = setInterval(() => {
    const others = [...open].filter((partition) => !loops.has({ topic: topics[0]!, partition }))
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
        // It may be on its way out at the end of its bounds.
        if (ended) return void (await done.promise.catch(() => undefined))
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
