import type { Logger } from '../../telemetry/log.ts'
import { KafkaUnavailable, PositionLost } from '../kafka-errors.ts'
import type { OffsetRange, RangeReadOptions } from '../kafka-types.ts'
import { createRecordQueue } from '../wire/record-queue.ts'
import { createFetcher, type FetchSource } from './fetcher.ts'
import { logOffsets } from './log-offsets.ts'
import type { OpenNetwork } from './network.ts'
import { withPatience } from './patience.ts'
import { asUnavailable, type BrokerRefused } from './protocol-errors.ts'
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
/** So often in a row nothing may come of a partition that holds records. */
const STUCK_ROUNDS = 10

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
    if (refused.type !== 'OFFSET_OUT_OF_RANGE') throw asUnavailable(`${topic} cannot be read`, refused)
    await moveToStart(part)
    part.refused = null
    fetcher.wake()
  }

  /** Whether a partition holds records that should have come by now. Fails where its leader does not answer. */
  const isOwed = async (part: Part): Promise<boolean> => {
    const what = `where ${topic}-${part.partition} ends is not known`
    const ends = await patiently(what, () => logOffsets({ cluster, pool }, topic, [part.partition], 'stable-end'))
    return part.queue.fetchOffset < (ends.get(part.partition) ?? 0n)
  }

  /** @param rounds how often in a row nothing came */
  const askWhyQuiet = async (rounds: number): Promise<void> => {
    for (const part of parts) {
      if (part.done || !(await isOwed(part)) || rounds < STUCK_ROUNDS) continue
      const { fetchOffset } = part.queue
      throw new KafkaUnavailable(`nothing comes of ${topic}-${part.partition} from offset ${fetchOffset} on`)
    }
  }

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
    const reached = (): bigint => parts.reduce((sum, part) => sum + part.queue.fetchOffset, 0n)
    let [before, quietSinceMs, rounds] = [-1n, 0, 0]
    for (;;) {
      let handled = false
      for (const part of parts) {
        if (part.done) continue
        if (part.refused !== null) await answerRefusal(part, part.refused)
        else if (await drain(part)) handled = true
      }
      signal?.throwIfAborted()
      if (parts.every((part) => part.done)) return
      if (handled) continue
      const now = performance.now()
      if (reached() !== before) [before, quietSinceMs, rounds] = [reached(), now, 0]
      if (now - quietSinceMs > quietMs) {
        rounds++
        await askWhyQuiet(rounds)
        quietSinceMs = now
      }
      await wait.for(quietMs)
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
