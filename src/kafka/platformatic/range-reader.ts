import type { Logger } from '../../telemetry/log.ts'
import { PositionLost } from '../kafka-errors.ts'
import type { OffsetRange, RangeReadOptions } from '../kafka-types.ts'
import { FETCH_VERSIONS, fetchCall } from '../wire/fetch-protocol.ts'
import { createRecordQueue } from '../wire/record-queue.ts'
import { callWire } from './call-wire.ts'
import { createFetcher, type FetchSource } from './fetcher.ts'
import { logOffsets } from './log-offsets.ts'
import type { OpenNetwork } from './network.ts'
import { withPatience } from './patience.ts'
import { BrokerRefused, errorName, isLeaderMoved } from './protocol-errors.ts'
import { createWait } from './wait.ts'

export type RangeReaderDeps = {
  readonly logger: Logger
  readonly openNetwork: OpenNetwork
  /** Where nothing came for so long, it is asked why. */
  readonly quietMs?: number
}

const PATIENCE_MS = 15_000
const QUIET_MS = 3000
const BATCH_MAX_RECORDS = 5000
const BATCH_MAX_BYTES = 4 << 20
const PROBE_MAX_BYTES = 1 << 20

type Part = FetchSource & { readonly range: OffsetRange; refused: BrokerRefused | null; done: boolean }

/**
 * Reads ranges of a topic without a group. All partitions are fetched at the same time, and handled one batch after
 * another.
 * @throws KafkaUnavailable, KafkaUnsuitable, KafkaAccessDenied, PositionLost where a range begins after the log's end,
 * BatchUnreadable, what `process` throws, and the reason of `signal`
 */
export const readRanges = async (
  { logger, openNetwork, quietMs = QUIET_MS }: RangeReaderDeps,
  { topic, ranges, process, signal }: RangeReadOptions,
): Promise<void> => {
  signal?.throwIfAborted()
  const network = openNetwork('range')
  const { cluster } = network
  const pool = network.pool('requests')
  const wait = createWait()
  const fetcher = createFetcher({ logger, cluster, pool: network.pool('fetch'), observer: undefined })
  const patiently = <T>(what: string, ask: () => Promise<T>): Promise<T> => withPatience(what, PATIENCE_MS, ask, signal)

  const makePart = (partition: number, range: OffsetRange): Part => {
    const part: Part = {
      ...{ topic, partition, range, refused: null, done: false },
      queue: createRecordQueue({ topic, partition, offset: range.from }),
      wanted: () => !part.done && part.refused === null && part.queue.fetchOffset < range.to,
      onProgress: wait.wake,
      onRefused: (error) => {
        part.refused = error
        wait.wake()
      },
    }
    return part
  }

  const finish = (part: Part): void => {
    part.done = true
    fetcher.remove(part)
  }

  /** Handles what was fetched of a partition. Says whether there was anything. */
  const drain = async (part: Part): Promise<boolean> => {
    let handled = false
    for (;;) {
      const batch = part.queue.take(BATCH_MAX_RECORDS, BATCH_MAX_BYTES, part.range.to)
      if (batch === null) break
      handled = true
      fetcher.wake()
      await process(batch)
      signal?.throwIfAborted()
    }
    // What lies between the last record and the end was looked at, and holds none for us.
    if (part.queue.fetchOffset >= part.range.to) finish(part)
    return handled
  }

  /** Goes on where the log begins now, if the records at our place have expired. */
  const moveToStart = async (part: Part): Promise<void> => {
    const what = `where ${topic}-${part.partition} begins is not known`
    const places = await patiently(what, async () => ({
      start: await logOffsets({ cluster, pool }, topic, [part.partition], 'start'),
      end: await logOffsets({ cluster, pool }, topic, [part.partition], 'end'),
    }))
    const { fetchOffset } = part.queue
    const start = places.start.get(part.partition) ?? fetchOffset
    const end = places.end.get(part.partition) ?? fetchOffset
    if (fetchOffset > end) {
      throw new PositionLost(`${topic}-${part.partition} is to be read from ${fetchOffset} and ends at ${end}`)
    }
    if (start > fetchOffset) part.queue.clear(start)
    if (start >= part.range.to) finish(part)
  }

  const answerRefusal = async (part: Part, refused: BrokerRefused): Promise<void> => {
    if (refused.type !== 'OFFSET_OUT_OF_RANGE') throw refused
    await moveToStart(part)
    part.refused = null
    fetcher.wake()
  }

  /**
   * Asks why nothing comes of a partition. Its log may have no batch left before the end of the range, because
   * compaction took all of them; or its leader does not answer.
   */
  const probe = (part: Part): Promise<void> =>
    patiently(`${topic}-${part.partition} cannot be read`, async () => {
      const offset = part.queue.fetchOffset
      const link = await pool.link(await cluster.leaderOf(topic, part.partition))
      const partitions = [{ partition: part.partition, offset, maxBytes: PROBE_MAX_BYTES }]
      const request = { maxWaitMs: 0, minBytes: 0, maxBytes: PROBE_MAX_BYTES, readCommitted: true }
      const reply = await callWire(link, 'Fetch 11', FETCH_VERSIONS, (version) =>
        fetchCall(version, { ...request, topics: [{ topic, partitions }] }),
      )
      const found = reply.partitions[0]
      const errorCode = found?.errorCode ?? reply.errorCode
      if (isLeaderMoved(errorName(errorCode))) cluster.forgetTopic(topic)
      if (errorCode !== 0) throw new BrokerRefused(`${topic}-${part.partition} cannot be read`, errorCode)
      const empty = found !== undefined && found.records === null
      if (empty && found.lastStableOffset >= part.range.to && part.queue.fetchOffset === offset) finish(part)
    }).catch((error: unknown) => {
      cluster.forgetTopic(topic)
      throw error
    })

  const parts = Array.from(ranges, ([partition, range]) => makePart(partition, range)).filter(
    ({ range }) => range.from < range.to,
  )
  const stop = (): void => {
    network.close()
    wait.wake()
  }
  signal?.addEventListener('abort', stop)
  try {
    await patiently(`${topic} cannot be read`, () => cluster.topic(topic))
    for (const part of parts) fetcher.add(part)
    let quietSinceMs = performance.now()
    while (parts.some((part) => !part.done)) {
      let handled = false
      for (const part of parts) {
        if (part.done) continue
        if (part.refused !== null) await answerRefusal(part, part.refused)
        else if (await drain(part)) handled = true
      }
      signal?.throwIfAborted()
      if (handled) quietSinceMs = performance.now()
      else if (performance.now() - quietSinceMs > quietMs) {
        for (const part of parts) if (!part.done) await probe(part)
        quietSinceMs = performance.now()
      } else if (parts.some((part) => !part.done)) await wait.for(quietMs)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    fetcher.close()
    network.close()
  }
}
