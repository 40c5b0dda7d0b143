import type { Consumer, Kafka } from 'kafkajs'
import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { ConsumerFailed, ConsumerStalled, StopDeadlinePassed } from '../kafka-errors.ts'
import type { ConsumerObserver, ExactlyOnceOptions, RunningConsumer } from '../kafka-types.ts'
import { withDeadline } from '../with-timeout.ts'
import { breakConnections } from './connection.ts'
import { createPartitionLoop, type PartitionLoop, type PartitionWork } from './partition-loop.ts'
import { orUnavailable } from './protocol-errors.ts'

export type ConsumerSessionOptions = {
  readonly kafka: Kafka
  readonly logger: Logger
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly chunkMaxRecords: number
  /** See `LoopHost`. */
  readonly chunkGoalMs: number
  readonly chunkSafetyMs: number
  /** Records at hand and none gone through for this long: the consumer ends. */
  readonly stallTimeoutMs: number
  /** Of the one topic: partitions that are not in it are not read. */
  readonly bounds?: ExactlyOnceOptions['bounds']
  readonly observer: ConsumerObserver | undefined
  readonly createWork: (topic: string, partition: number, consumer: Consumer) => PartitionWork
  /** Everything in the bounds of a partition is committed. */
  readonly onReachedEnd?: (partition: number) => void
  /** Called when the consumer ended, however it did. */
  readonly onEnd: () => Promise<void>
}

const DEFAULT_STOP_DEADLINE_MS = 30_000
const MAX_PARTITIONS_AT_ONCE = 1024

/**
 * A member of a consumer group with a loop per partition. Resolves when the group was joined.
 * `done` rejects when the consumer cannot go on; whoever runs it should then end the process.
 */
export const startConsumerSession = async (options: ConsumerSessionOptions): Promise<RunningConsumer> => {
  const { kafka, logger, group, topics, sessionTimeoutMs, stallTimeoutMs, bounds, observer } = options
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: Math.max(100, Math.floor(sessionTimeoutMs / 10)),
    rebalanceTimeout: Math.max(sessionTimeoutMs, 30_000),
    maxBytesPerPartition: 1 << 20,
    minBytes: 1,
    // How long a fetch waits where nothing is new: also how late a stop, a seek or a resumed partition is noticed.
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    // Over a broker's restart; when even that is not enough, kafkajs restarts the consumer.
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 10 },
  })

  const loops = new Map<string, PartitionLoop>()
  const done = Promise.withResolvers<void>()
  let ended = false

  const safely = (what: string, action: () => void): void => {
    try {
      action()
    } catch (error) {
      // kafkajs throws while it restarts on its own; the join that follows starts every partition over.
      logger.debug({ group }, `cannot ${what} now: ${describeError(error)}`)
    }
  }

  const disconnect = (): Promise<void> =>
    consumer.disconnect().catch((error) => logger.debug(`disconnecting failed: ${describeError(error)}`))

  const closeLoops = (): void => {
    clearInterval(watchdog)
    for (const loop of loops.values()) loop.close()
  }

  const fail = (error: Error): void => {
    if (ended) return
    ended = true
    logger.error({ group, topics }, `consumer ends: ${describeError(error)}`)
    closeLoops()
    done.reject(error)
    // Not waited for: what hangs may be the very thing that made it fail.
    Promise.all([disconnect(), options.onEnd()]).catch((cause) => {
      logger.debug(`closing failed: ${describeError(cause)}`)
    })
  }

  const loopOf = (topic: string, partition: number): PartitionLoop => {
    const key = `${topic}-${partition}`
    const known = loops.get(key)
    if (known !== undefined) return known
    const these = [{ topic, partitions: [partition] }]
    const loop = createPartitionLoop(
      {
        logger,
        topic,
        partition,
        chunkMaxRecords: options.chunkMaxRecords,
        chunkGoalMs: options.chunkGoalMs,
        chunkSafetyMs: options.chunkSafetyMs,
        endOffset: bounds?.get(partition)?.to,
        observer,
        reachedEnd: () => options.onReachedEnd?.(partition),
        seek: (offset) => safely('seek', () => consumer.seek({ topic, partition, offset: offset.toString() })),
        pause: () => safely('pause', () => consumer.pause(these)),
        resume: () => safely('resume', () => consumer.resume(these)),
        fail,
      },
      options.createWork(topic, partition, consumer),
    )
    loops.set(key, loop)
    return loop
  }

  const isUnread = (partition: number): boolean => bounds !== undefined && !bounds.has(partition)

  const watchdog = setInterval(
    () => {
      const now = performance.now()
      for (const [key, loop] of loops) {
        const since = loop.waitingSince()
        if (since !== null && now - since > stallTimeoutMs) {
          fail(
            new ConsumerStalled(`${key} has records at hand and none went through for ${Math.round(now - since)} ms`),
          )
        }
      }
    },
    Math.min(1000, stallTimeoutMs / 4),
  )

  let owned: ReadonlySet<string> = new Set()
  consumer.on('consumer.group_join', ({ payload }) => {
    const assignment = Object.entries(payload.memberAssignment)
    const assigned = new Set(
      assignment.flatMap(([topic, partitions]) => partitions.map((partition) => `${topic}-${partition}`)),
    )
    for (const [key, loop] of loops) loop.onJoin(assigned.has(key))
    if (bounds !== undefined) {
      const unread = assignment.map(([topic, partitions]) => ({ topic, partitions: partitions.filter(isUnread) }))
      safely('pause', () => consumer.pause(unread))
    }
    observer?.rebalanced?.({
      partitions: assigned.size,
      revoked: [...owned].filter((key) => !assigned.has(key)).length,
    })
    owned = assigned
    logger.info({ group, assignment: payload.memberAssignment }, 'joined the group')
  })
  consumer.on('consumer.heartbeat', () => {
    for (const loop of loops.values()) loop.onHeartbeat()
  })
  consumer.on('consumer.network.request_timeout', ({ payload }) => breakConnections(kafka, payload.broker))
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    if (restart) logger.warn({ group }, `consumer restarts: ${describeError(error)}`)
    else fail(new ConsumerFailed(`consumer of ${topics.join(', ')} crashed: ${describeError(error)}`, { cause: error }))
  })

  try {
    await orUnavailable('Kafka cannot be reached', consumer.connect())
    const subscribed = consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await orUnavailable(`${topics.join(', ')} cannot be read; do they exist?`, subscribed)
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: MAX_PARTITIONS_AT_ONCE,
      eachBatch: async (payload) => {
        const { topic, partition } = payload.batch
        if (!isUnread(partition)) await loopOf(topic, partition).onBatch(payload)
      },
    })
  } catch (error) {
    ended = true
    closeLoops()
    await disconnect()
    await options.onEnd()
    throw error
  }

  /** Handlers end with the chunk at hand; then the member leaves, so that others take over at once. */
  const leave = async (): Promise<void> => {
    await disconnect()
    closeLoops()
    await options.onEnd()
  }

  const tooLate = (deadlineMs: number): Error =>
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
          closeLoops()
          done.reject(error)
          throw error
        }
      })()
      return stopping
    },
  }
}
