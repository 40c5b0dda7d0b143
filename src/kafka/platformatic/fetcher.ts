import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import type { ConsumerObserver } from '../kafka-types.ts'
import { FETCH_VERSIONS, type FetchedPartition, fetchCall } from '../wire/fetch-protocol.ts'
import { freeBytes } from '../wire/free-bytes.ts'
import type { RecordQueue } from '../wire/record-queue.ts'
import { callWire } from './call-wire.ts'
import type { BrokerNode, Cluster } from './cluster.ts'
import type { ConnectionPool } from './connections.ts'
import { type FetchPlan, planFetch, queueLimitBytes, rotated } from './fetch-plan.ts'
import { BrokerRefused, errorName, isLeaderMoved } from './protocol-errors.ts'

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

/** A source and what is known of the broker to ask. */
type Reading = {
  readonly source: FetchSource
  leader: BrokerNode | null
  /** Attempts in a row without an answer of the leader. */
  failures: number
}

type Candidate = { readonly reading: Reading; readonly hungry: boolean }

/**
 * Reads partitions ahead into their queues: from each broker one fetch at a time, for all partitions that it leads and
 * whose queues have room. Readers that fall behind stop it from reading on, and nothing else does: a partition without
 * a leader, or a broker that does not answer, holds up no other.
 */
export const createFetcher = ({ logger, cluster, pool, observer }: FetcherOptions): Fetcher => {
  const readings = new Map<FetchSource, Reading>()
  const busy = new Set<number>()
  let turn = 0
  let pumping = false
  let closed = false

  /** Looks up the leader, after a while where it failed before. */
  const locate = (reading: Reading): void => {
    const { source, failures } = reading
    const { topic, partition } = source
    const look = async (): Promise<void> => {
      if (readings.get(source) !== reading) return
      try {
        reading.leader = await cluster.leaderOf(topic, partition)
        pump()
      } catch (error) {
        lose(reading, error)
      }
    }
    if (failures === 0) void look()
    else setTimeout(look, backoffMs(failures, Math.random(), BACKOFF)).unref()
  }

  /** What was known of the leader is wrong, or it does not answer. */
  const lose = (reading: Reading, error: unknown): void => {
    if (closed || readings.get(reading.source) !== reading) return
    const { topic, partition } = reading.source
    reading.leader = null
    reading.failures++
    logger.debug({ topic, partition, failures: reading.failures }, `cannot be fetched: ${describeError(error)}`)
    cluster.forgetTopic(topic)
    locate(reading)
  }

  const take = (reading: Reading, fetched: FetchedPartition, fetchOffset: bigint): void => {
    const { source } = reading
    if (readings.get(source) !== reading || !source.wanted()) return
    const { topic, partition, errorCode } = fetched
    const type = errorName(errorCode)
    if (errorCode === 0) {
      reading.failures = 0
      const started = performance.now()
      const bytes = fetched.records?.length ?? 0
      const release = (): void => {
        if (fetched.records !== null) freeBytes(fetched.records)
      }
      const records = source.queue.push({ ...fetched, release }, fetchOffset)
      if (bytes > 0) observer?.fetched?.({ records, bytes, ms: performance.now() - started })
      if (source.queue.fetchOffset !== fetchOffset || source.queue.broken !== null) source.onProgress()
    } else if (isLeaderMoved(type) || type === 'OFFSET_NOT_AVAILABLE') {
      lose(reading, new BrokerRefused(`${topic}-${partition} has to be read elsewhere`, errorCode))
    } else if (source.queue.fetchOffset === fetchOffset) {
      // A reply to a request from before the partition was set elsewhere says nothing.
      source.onRefused(new BrokerRefused(`${topic}-${partition} cannot be read at offset ${fetchOffset}`, errorCode))
    }
  }

  const request = async (node: BrokerNode, { asked, maxWaitMs, partitionMaxBytes }: FetchPlan<Candidate>) => {
    const link = await pool.link(node)
    const offsets = new Map<string, { reading: Reading; offset: bigint }>()
    const byTopic = new Map<string, { partition: number; offset: bigint; maxBytes: number }[]>()
    for (const { reading } of asked) {
      const { topic, partition, queue } = reading.source
      const offset = queue.fetchOffset
      offsets.set(`${partition} ${topic}`, { reading, offset })
      const partitions = byTopic.get(topic) ?? []
      byTopic.set(topic, partitions)
      partitions.push({ partition, offset, maxBytes: partitionMaxBytes })
    }
    const reply = await callWire(link, 'Fetch 11', FETCH_VERSIONS, (version) =>
      fetchCall(version, {
        maxWaitMs,
        // What arrives is taken at once.
        minBytes: 1,
        maxBytes: REPLY_MAX_BYTES,
        readCommitted: true,
        topics: Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions })),
      }),
    )
    if (reply.errorCode !== 0) throw new BrokerRefused('the broker refused a fetch', reply.errorCode)
    for (const fetched of reply.partitions) {
      const found = offsets.get(`${fetched.partition} ${fetched.topic}`)
      if (found !== undefined) take(found.reading, fetched, found.offset)
    }
    if (reply.throttleTimeMs > 0) await sleep(reply.throttleTimeMs, undefined, { ref: false })
  }

  const fetchFrom = async (node: BrokerNode, plan: FetchPlan<Candidate>): Promise<void> => {
    busy.add(node.nodeId)
    try {
      await request(node, plan)
    } catch (error) {
      for (const { reading } of plan.asked) lose(reading, error)
    } finally {
      busy.delete(node.nodeId)
      pump()
    }
  }

  const plan = (): void => {
    pumping = false
    const limit = queueLimitBytes(readings.size)
    const byNode = new Map<number, { node: BrokerNode; candidates: Candidate[] }>()
    for (const reading of readings.values()) {
      const { source, leader } = reading
      if (closed || leader === null || busy.has(leader.nodeId)) continue
      const hungry = source.wanted() && source.queue.broken === null && source.queue.bytes < limit
      const found = byNode.get(leader.nodeId) ?? { node: leader, candidates: [] }
      byNode.set(leader.nodeId, found)
      found.candidates.push({ reading, hungry })
    }
    for (const { node, candidates } of byNode.values()) {
      const next = planFetch(rotated(candidates, turn++), readings.size)
      if (next !== null) void fetchFrom(node, next)
    }
  }

  /** Fetches what is wanted by now; once for all who ask in the same moment. */
  const pump = (): void => {
    if (pumping || closed) return
    pumping = true
    queueMicrotask(plan)
  }

  return {
    add: (source) => {
      const reading: Reading = { source, leader: null, failures: 0 }
      readings.set(source, reading)
      locate(reading)
    },
    remove: (source) => {
      readings.delete(source)
    },
    wake: pump,
    close: () => {
      closed = true
      readings.clear()
    },
  }
}
