import { type DeadLetter, type LetterRecord, readLetterRecord } from '../../../streams/dead-letter-replay.ts'
import type { KafkaAdmin, KafkaClient, OffsetRange } from '../../kafka/kafka-types.ts'
import { recordAt } from '../../kafka/record-batch.ts'
import { createLetterIndex, type LetterIndex } from './letter-index.ts'

/** Clocks of workers and brokers differ, and a topic may be set to the broker's. */
const CLOCK_MARGIN_MS = 10 * 60_000

/** Which letters a command is about; null takes all. Times are ms since the epoch. */
export type LetterFilter = {
  readonly codes: ReadonlySet<string> | null
  readonly sinceMs: number | null
  readonly untilMs: number | null
  /** Names of topics that records came from. */
  readonly topics: ReadonlySet<string> | null
}

export const matches = (letter: DeadLetter, { codes, sinceMs, untilMs, topics }: LetterFilter): boolean =>
  (codes === null || codes.has(letter.code)) &&
  (sinceMs === null || letter.failedAt >= sinceMs) &&
  (untilMs === null || letter.failedAt <= untilMs) &&
  (topics === null || (letter.source !== null && topics.has(letter.source.topic)))

/** Reads the dead-letter topic once, and then only what has come since. */
export type LetterScan = {
  readonly index: LetterIndex
  /** Barriers that were met, as `<name>` and the partition. */
  readonly hasBarrier: (partition: number, name: string) => boolean
  /**
   * Reads up to the last stable offsets. The first call takes in letters; later ones only what tells of a replay, so
   * that a letter which fails again meanwhile is not sent again in the same run.
   */
  readonly advance: () => Promise<void>
  /** Partitions of the dead-letter topic. */
  readonly partitions: () => readonly number[]
}

export type LetterScanOptions = {
  readonly client: Pick<KafkaClient, 'readRanges'>
  readonly admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt'>
  readonly topic: string
  readonly filter: LetterFilter
  readonly ownRun: string
  /** Topics that letters may be sent back to. */
  readonly sources: ReadonlySet<string>
  /** Only this partition, from this offset on. */
  readonly from?: { readonly partition: number; readonly offset: bigint }
  readonly onRead?: (records: number) => void
  readonly signal?: AbortSignal
}

export const createLetterScan = (options: LetterScanOptions): LetterScan => {
  const { client, admin, topic, filter, sources, from, onRead, signal } = options
  const index = createLetterIndex(options.ownRun)
  const barriers = new Set<string>()
  /** Where to go on, by partition; null before the first call. */
  let positions: Map<number, bigint> | null = null
  let records = 0

  const firstOffsets = async (ranges: ReadonlyMap<number, OffsetRange>): Promise<Map<number, bigint>> => {
    if (from !== undefined) return new Map([[from.partition, from.offset]])
    if (filter.sinceMs === null) return new Map([...ranges].map(([partition, range]) => [partition, range.from]))
    return admin.offsetsAt(topic, Math.max(0, filter.sinceMs - CLOCK_MARGIN_MS))
  }

  const take = (record: LetterRecord, takesLetters: boolean): void => {
    const read = readLetterRecord(record)
    if (read === null) return
    if (read.kind === 'barrier') barriers.add(`${record.partition} ${read.name}`)
    else if (read.kind === 'marker') index.addMarker(read)
    else if (takesLetters && matches(read, filter)) {
      index.addLetter(read, read.source !== null && sources.has(read.source.topic))
    }
  }

  return {
    index,
    hasBarrier: (partition, name) => barriers.has(`${partition} ${name}`),
    partitions: () => [...(positions?.keys() ?? [])],

    advance: async () => {
      const ends = await admin.offsetRanges(topic)
      const isFirst = positions === null
      const known = positions ?? (await firstOffsets(ends))
      positions = known
      const ranges = new Map<number, OffsetRange>()
      for (const [partition, offset] of known) {
        const range = ends.get(partition)
        if (range === undefined || offset >= range.to) continue
        ranges.set(partition, { from: offset, to: range.to })
      }
      if (ranges.size > 0) {
        await client.readRanges({
          topic,
          ranges,
          ...(signal === undefined ? {} : { signal }),
          process: (batch) => {
            for (let i = 0; i < batch.length; i++) take(recordAt(batch, i), isFirst)
            records += batch.length
            onRead?.(records)
          },
        })
      }
      for (const [partition, { to }] of ranges) known.set(partition, to)
      index.settle()
    },
  }
}
