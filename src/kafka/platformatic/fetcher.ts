import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'
import type { ConsumerObserver } from '../kafka-types.ts'
import { FETCH_VERSIONS, type FetchedPartition, fetchCall } from '../wire/fetch-protocol.ts'
import type { RecordQueue } from '../wire/record-queue.ts'
import { callWire } from './call-wire.ts'
import type { BrokerNode, Cluster } from './cluster.ts'
import type { ConnectionPool } from './connections.ts'
import { type FetchPlan, planFetch, queueLimitBytes, rotated } from './fetch-plan.ts'
import { BrokerRefused, errorName, isLeaderMoved } from './protocol-errors.ts'
import { createWait } from './wait.ts'

/** A partition that is read. */
export type FetchSource = {
  readonly topic: string
  readonly partition: number
  readonly queue: RecordQueue
  /** False while it is not known where to go on, or nothing more is wanted. */
  readonly wanted: () => boolean
  /** There is more in the queue, or it moved on over records that are not for us. */
  readonly onProgress: () => void
  /** The partition cannot be read at `fetchOffset`. Not told of what passes, such as a leader that moves. */
  readonly onRefused: (error: BrokerRefused) => void
}

export type Fetcher = {
  readonly add: (source: FetchSource) => void
  readonly remove: (source: FetchSource) => void
  /** Somebody may have become hungry. */
  readonly wake: () => void
  readonly close: () => void
}

export type FetcherOptions = {
  readonly logger: Logger
  readonly cluster: Cluster
  /** Connections for fetches alone: a long poll blocks what comes after it. */
  readonly pool: ConnectionPool
  readonly observer: ConsumerObserver | undefined
}

const REPLY_MAX_BYTES = 16 << 20
const BACKOFF = { firstMs: 20, maxMs: 1000 }

type Candidate = { readonly source: FetchSource; readonly hungry: boolean }

/**
 * Reads partitions ahead into their queues: from each broker one fetch at a time, for all partitions that it leads and
 * whose queues have room. Readers that fall behind stop it from reading on, and nothing else does.
 */
export const createFetcher = ({ logger, cluster, pool, observer }: FetcherOptions): Fetcher => {
  const sources = new Set<FetchSource>()
  const busy = new Set<number>()
  const wait = createWait()
  /** Failures in a row, by broker. */
  const failures = new Map<number, number>()
  let turn = 0
  let leaderless = false
  let closed = false

  const take = (source: FetchSource, fetched: FetchedPartition, fetchOffset: bigint): void => {
    if (!sources.has(source) || !source.wanted()) return
    const { topic, partition, errorCode } = fetched
    if (errorCode === 0) {
      const started = performance.now()
      const records = source.queue.push(fetched, fetchOffset)
      const bytes = fetched.records?.length ?? 0
      if (bytes > 0) observer?.fetched?.({ records, bytes, ms: performance.now() - started })
      if (source.queue.fetchOffset !== fetchOffset || source.queue.broken !== null) source.onProgress()
      return
    }
    const type = errorName(errorCode)
    if (isLeaderMoved(type) || type === 'OFFSET_NOT_AVAILABLE') {
      cluster.forgetTopic(topic)
      throw new KafkaUnavailable(`${topic}-${partition} has to be read from another broker: ${type}`)
    }
    // A reply to a request from before the partition was set elsewhere says nothing.
    if (source.queue.fetchOffset === fetchOffset) {
      source.onRefused(new BrokerRefused(`${topic}-${partition} cannot be read at offset ${fetchOffset}`, errorCode))
    }
  }

  const ask = async (node: BrokerNode, plan: FetchPlan<Candidate>): Promise<void> => {
    const link = await pool.link(node)
    const asked = new Map<string, { source: FetchSource; offset: bigint }>()
    const byTopic = new Map<string, { partition: number; offset: bigint; maxBytes: number }[]>()
    for (const { source } of plan.asked) {
      const { topic, partition, queue } = source
      if (!sources.has(source)) continue
      asked.set(`${partition} ${topic}`, { source, offset: queue.fetchOffset })
      const partitions = byTopic.get(topic) ?? []
      byTopic.set(topic, partitions)
      partitions.push({ partition, offset: queue.fetchOffset, maxBytes: plan.partitionMaxBytes })
    }
    if (asked.size === 0) return
    const reply = await callWire(link, 'Fetch 11', FETCH_VERSIONS, (version) =>
      fetchCall(version, {
        maxWaitMs: plan.maxWaitMs,
        // What arrives is taken at once.
        minBytes: 1,
        maxBytes: REPLY_MAX_BYTES,
        readCommitted: true,
        topics: Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions })),
      }),
    )
    if (reply.errorCode !== 0) throw new BrokerRefused('the broker refused a fetch', reply.errorCode)
    let moved: unknown
    for (const fetched of reply.partitions) {
      const found = asked.get(`${fetched.partition} ${fetched.topic}`)
      if (found === undefined) continue
      try {
        take(found.source, fetched, found.offset)
      } catch (error) {
        moved = error
      }
    }
    if (moved !== undefined) throw moved
    if (reply.throttleTimeMs > 0) await createWait().for(reply.throttleTimeMs)
  }

  const fetchFrom = async (node: BrokerNode, plan: FetchPlan<Candidate>): Promise<void> => {
    try {
      await ask(node, plan)
      failures.delete(node.nodeId)
    } catch (error) {
      if (closed) return
      const failed = (failures.get(node.nodeId) ?? 0) + 1
      failures.set(node.nodeId, failed)
      logger.debug({ node: node.nodeId, failed }, `a fetch failed: ${describeError(error)}`)
      for (const { source } of plan.asked) cluster.forgetTopic(source.topic)
      await createWait().for(backoffMs(failed, Math.random(), BACKOFF))
    } finally {
      busy.delete(node.nodeId)
      wait.wake()
    }
  }

  /** The partitions by the broker that leads them. Those without a leader are asked for again a little later. */
  const byLeader = async (): Promise<Map<BrokerNode, Candidate[]>> => {
    const limit = queueLimitBytes(sources.size)
    const byNode = new Map<number, { node: BrokerNode; candidates: Candidate[] }>()
    for (const source of sources) {
      const hungry = source.wanted() && source.queue.broken === null && source.queue.bytes < limit
      const node = await cluster.leaderOf(source.topic, source.partition).catch((error: unknown) => {
        logger.debug(`no leader of ${source.topic}-${source.partition}: ${describeError(error)}`)
        return undefined
      })
      if (node === undefined) {
        leaderless = true
        continue
      }
      const found = byNode.get(node.nodeId) ?? { node, candidates: [] }
      byNode.set(node.nodeId, found)
      found.candidates.push({ source, hungry })
    }
    return new Map([...byNode.values()].map(({ node, candidates }) => [node, candidates]))
  }

  const run = async (): Promise<void> => {
    while (!closed) {
      leaderless = false
      for (const [node, candidates] of await byLeader()) {
        if (closed || busy.has(node.nodeId)) continue
        const plan = planFetch(rotated(candidates, turn++), sources.size)
        if (plan === null) continue
        busy.add(node.nodeId)
        fetchFrom(node, plan).catch((error) => logger.error(`fetching failed: ${describeError(error)}`))
      }
      await wait.for(leaderless ? 100 : 1000)
    }
  }

  run().catch((error) => logger.error(`the fetcher ended: ${describeError(error)}`))

  return {
    add: (source) => {
      sources.add(source)
      wait.wake()
    },
    remove: (source) => {
      sources.delete(source)
    },
    wake: wait.wake,
    close: () => {
      closed = true
      sources.clear()
      wait.wake()
    },
  }
}
