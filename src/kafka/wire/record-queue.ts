import { MAX_BATCH_BYTES } from '../compression/codecs.ts'
import { decompressRecords } from '../compression/decompress.ts'
import { BatchUnreadable } from '../kafka-errors.ts'
import type { RecordBatch } from '../kafka-types.ts'
import { createAbortedFilter } from './aborted-transactions.ts'
import type { FetchedPartition } from './fetch-protocol.ts'
import {
  type BatchHeader,
  isAbortMarker,
  type RecordSegment,
  readBatchHeader,
  readRecords,
  segmentOf,
  unpack,
} from './record-batch-reader.ts'
import { createRecordColumns } from './record-columns.ts'
import { readHeaders } from './record-headers.ts'
import { createRecordRuns } from './record-runs.ts'

export type FetchedBytes = Pick<FetchedPartition, 'records' | 'abortedTransactions'> & {
  /** Called when the bytes are no longer needed, nor any batch that lies in them. */
  readonly release?: () => void
}

/**
 * What was fetched of one partition and not yet taken. Records of aborted transactions and control records are left
 * out. The records are found, and decompressed, when they are taken.
 */
export type RecordQueue = {
  /**
   * Adds what a reply holds. Never throws: what cannot be read is told by the `take` that comes to it.
   * @param fetchOffset what the request asked for; a reply to another offset than `fetchOffset` is passed over
   * @returns the records that were added
   */
  readonly push: (fetched: FetchedBytes, fetchOffset: bigint) => number
  /**
   * Takes records from the front: at least one, at most `maxRecords`, and not more once they take `maxBytes`.
   * The batch is valid until the next `take` or `clear`. Null if there is none before `endOffset`.
   * @param endOffset where reading ends, excluded; records there and later are left. `nextOffset` is at least there
   *   once no record before it is left, and beyond it where no record stands between
   * @throws BatchUnreadable if the next record cannot be read; what stands before it has been taken
   */
  readonly take: (maxRecords: number, maxBytes: number, endOffset?: bigint) => RecordBatch | null
  /** Records that can be taken. */
  readonly records: number
  /** Bytes that are held for them, as they were fetched: a compressed batch is unpacked when its turn comes. */
  readonly bytes: number
  /** The offset after everything that was taken, and after what follows it without being a record to take. */
  readonly nextOffset: bigint
  /** The offset to fetch next: after all that is held. */
  readonly fetchOffset: bigint
  /** Why nothing more can be added: `take` throws it when all before it was taken. `clear` forgets it. */
  readonly broken: BatchUnreadable | null
  /** Drops everything and goes on at this offset. */
  readonly clear: (offset: bigint) => void
}

export type RecordQueueOptions = {
  readonly topic: string
  readonly partition: number
  /** Where reading starts. */
  readonly offset: bigint
  /** How much one compressed batch may hold. */
  readonly maxBatchBytes?: number
}

/**
 * A broker gives at least one whole batch to the partition that a reply begins with, however large it is. So a batch
 * that was cut off as often as this, with nothing before it, will never come.
 */
const MAX_CUT_REPLIES = 100

const DROPPED_AT_A_TIME = 1000

/** Bytes that are a small piece of what would be kept in memory with them are copied. */
const ownBytes = (bytes: Buffer): Buffer =>
  bytes.buffer.byteLength > 2 * bytes.length + 16_384 ? Buffer.from(bytes) : bytes

export const createRecordQueue = (options: RecordQueueOptions): RecordQueue => {
  const { topic, partition, offset, maxBatchBytes = MAX_BATCH_BYTES } = options
  const runs = createRecordRuns()
  let columns = createRecordColumns()
  let segments: RecordSegment[] = []
  /** The first segment that is not used up. */
  let head = 0
  /** What is to be released, with the last segment that lies in it. */
  let replies: { readonly last: RecordSegment; readonly release: () => void }[] = []
  /** Those that only the batch which was taken last may lie in. */
  let spent: (() => void)[] = []
  let records = 0
  let bytes = 0
  let nextOffset = Number(offset)
  let fetchOffset = nextOffset
  let broken: BatchUnreadable | null = null
  let cutReplies = 0

  const unreadable = (at: number, why: string): BatchUnreadable =>
    new BatchUnreadable(
      `the record batch at offset ${at} of ${topic}-${partition} cannot be read: ${why}. ` +
        'Look at it with kafka-dump-log; to go on without it, set the group behind it with kafka-consumer-groups',
    )

  const decompress = (segment: RecordSegment): void => {
    if (segment.codec === 0) return
    try {
      const packed = segment.bytes.subarray(segment.position, segment.end)
      unpack(segment, decompressRecords(segment.codec, packed, maxBatchBytes))
    } catch (cause) {
      if (!(cause instanceof BatchUnreadable)) throw cause
      segment.damage = cause.message
    }
  }

  /** Records before the offset that was asked for come with the batch that holds it. */
  const dropBefore = (segment: RecordSegment, wanted: number): void => {
    decompress(segment)
    if (segment.damage !== null) return
    const dropped = createRecordColumns(Math.min(segment.remaining, DROPPED_AT_A_TIME))
    let count: number
    do count = readRecords(segment, dropped, 0, dropped.capacity, Number.POSITIVE_INFINITY, wanted)
    while (count === dropped.capacity && segment.remaining > 0 && segment.damage === null)
  }

  const skipTo = (after: number): void => {
    const last = segments.length > head ? segments[segments.length - 1]! : null
    if (last === null) nextOffset = after
    else last.nextOffset = after
  }

  const add = (held: Buffer, at: number, header: BatchHeader): number => {
    const segment = segmentOf(held, at, header)
    if (header.baseOffset < fetchOffset && segment.damage === null) dropBefore(segment, fetchOffset)
    if (segment.damage !== null) {
      broken = unreadable(fetchOffset, segment.damage)
      return 0
    }
    if (segment.remaining === 0) {
      skipTo(segment.nextOffset)
      return 0
    }
    segments.push(segment)
    bytes += segment.heldBytes
    records += segment.remaining
    return segment.remaining
  }

  const releaseSpent = (): void => {
    for (const release of spent) release()
    spent = []
  }

  const push: RecordQueue['push'] = ({ records: fetched, abortedTransactions, release }, asked) => {
    if (fetched === null || broken !== null || Number(asked) !== fetchOffset) {
      release?.()
      return 0
    }
    const before = segments.at(-1)
    const held = ownBytes(fetched)
    const filter = createAbortedFilter(abortedTransactions)
    let added = 0
    let at = 0
    while (at < held.length && broken === null) {
      const header = readBatchHeader(held, at)
      if (header.kind === 'cut') break
      if (header.kind === 'damaged') {
        broken = unreadable(fetchOffset, header.why)
        break
      }
      const start = at
      at = header.end
      const isAborted = filter?.isAborted(header, () => isAbortMarker(held, start, header)) ?? false
      if (header.lastOffset < fetchOffset) continue
      if (header.control || isAborted) skipTo(header.lastOffset + 1)
      else added += add(held, start, header)
      if (broken === null) fetchOffset = header.lastOffset + 1
    }
    cutReplies = at === 0 && held.length > 0 ? cutReplies + 1 : 0
    if (cutReplies > MAX_CUT_REPLIES) broken ??= unreadable(fetchOffset, 'the broker never gives the whole of it')
    const last = segments.at(-1)
    if (release !== undefined) {
      if (last === undefined || last === before) release()
      else replies.push({ last, release })
    }
    return added
  }

  const dropHead = (segment: RecordSegment): void => {
    if (replies[0]?.last === segment) spent.push(replies.shift()!.release)
    nextOffset = segment.nextOffset
    bytes -= segment.heldBytes
    head += 1
    if (head === segments.length) {
      segments = []
      head = 0
    } else if (head >= 64 && head * 2 >= segments.length) {
      segments = segments.slice(head)
      head = 0
    }
  }

  /** Fills the columns and returns how many records are in them. */
  const fill = (last: number, maxBytes: number, endOffset: number): number => {
    let index = 0
    while (head < segments.length && index < last) {
      const segment = segments[head]!
      decompress(segment)
      const from = segment.position
      const room = maxBytes - runs.bytes
      const first = index
      if (segment.damage === null) index = readRecords(segment, columns, first, last, room, endOffset)
      if (index > first) runs.add(segment.bytes, from, segment.position, first, index)
      records -= index - first
      nextOffset = Math.max(nextOffset, segment.passedOffset + 1)
      if (segment.damage !== null) {
        broken ??= unreadable(segment.passedOffset + 1, segment.damage)
        break
      }
      if (segment.remaining > 0) break
      dropHead(segment)
    }
    return index
  }

  const take: RecordQueue['take'] = (maxRecords, maxBytes, end) => {
    const endOffset = end === undefined ? Number.POSITIVE_INFINITY : Number(end)
    const last = Math.min(maxRecords, records)
    if (columns.capacity < last) columns = createRecordColumns(last)
    runs.clear()
    releaseSpent()
    const length = fill(last, maxBytes, endOffset)
    if (length === 0) {
      if (broken !== null && (head === segments.length || segments[head]!.damage !== null)) throw broken
      return null
    }
    const joined = runs.join(columns)
    const { offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, recordEnds } = columns
    return {
      ...{ topic, partition, length, bytes: joined, offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds },
      headersOf: (index) => {
        const headers = readHeaders(joined, headerStarts[index]!, recordEnds[index]!)
        if (headers === null) throw unreadable(offsets[index]!, 'the headers of a record do not fit it')
        return headers
      },
    }
  }

  return {
    push,
    take,
    get records() {
      return records
    },
    get bytes() {
      return bytes
    },
    get nextOffset() {
      return BigInt(nextOffset)
    },
    get fetchOffset() {
      return BigInt(fetchOffset)
    },
    get broken() {
      return broken
    },
    clear: (from) => {
      spent.push(...replies.map(({ release }) => release))
      replies = []
      releaseSpent()
      segments = []
      head = 0
      records = 0
      bytes = 0
      nextOffset = Number(from)
      fetchOffset = nextOffset
      broken = null
      cutReplies = 0
      runs.clear()
    },
  }
}
