import { crc32c } from '../library-parts.ts'
import { attribute, field, LENGTH_COUNTS_FROM, MAGIC, MIN_RECORD_BYTES, readInt64 } from './batch-layout.ts'
import type { RecordColumns } from './record-columns.ts'
import { varintEnd, varintValue } from './varint.ts'

/** A record batch as its header tells it. */
export type BatchHeader = {
  readonly kind: 'batch'
  /** Where the batch ends in the bytes. */
  readonly end: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly codec: number
  readonly transactional: boolean
  readonly control: boolean
  readonly producerId: bigint
  readonly count: number
}

/** The last batch of a reply may be cut off. */
export type CutBatch = { readonly kind: 'cut' }

export type DamagedBatch = { readonly kind: 'damaged'; readonly why: string }

const damaged = (why: string): DamagedBatch => ({ kind: 'damaged', why })

/** Reads the header of the batch that begins at `at`, and compares its checksum. */
export const readBatchHeader = (bytes: Buffer, at: number): BatchHeader | CutBatch | DamagedBatch => {
  const left = bytes.length - at
  if (left <= field.magic) return { kind: 'cut' }
  const magic = bytes[at + field.magic]!
  if (magic < MAGIC) {
    return damaged(
      `it has the message format v${magic} of before Kafka 0.11, which is not read here; let an older client copy it`,
    )
  }
  if (magic > MAGIC) return damaged(`its format v${magic} is unknown`)
  const length = bytes.readInt32BE(at + field.batchLength)
  if (length < field.records - LENGTH_COUNTS_FROM) return damaged('its length cannot be')
  const end = at + LENGTH_COUNTS_FROM + length
  if (end > bytes.length) return { kind: 'cut' }
  if (crc32c(bytes.subarray(at + field.attributes, end)) !== bytes.readUInt32BE(at + field.crc)) {
    return damaged('its checksum is another one')
  }
  const attributes = bytes.readUInt16BE(at + field.attributes)
  const baseOffset = readInt64(bytes, at + field.baseOffset)
  const lastOffsetDelta = bytes.readInt32BE(at + field.lastOffsetDelta)
  const count = bytes.readInt32BE(at + field.count)
  if (baseOffset < 0 || lastOffsetDelta < 0) return damaged('its offsets cannot be')
  // Compaction takes records away and leaves the offsets.
  if (count < 0 || count > lastOffsetDelta + 1) return damaged('its number of records cannot be')
  return {
    kind: 'batch',
    end,
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    codec: attributes & attribute.codec,
    transactional: (attributes & attribute.transactional) !== 0,
    control: (attributes & attribute.control) !== 0,
    producerId: bytes.readBigInt64BE(at + field.producerId),
    count,
  }
}

const ABORT_MARKER = 0

/** Whether a control batch ends a transaction that was aborted: its one record's key is a version and a type. */
export const isAbortMarker = (bytes: Buffer, at: number, { end, control, count, codec }: BatchHeader): boolean => {
  if (!control || count === 0 || codec !== 0) return false
  const lengthEnd = varintEnd(bytes, at + field.records, 5)
  const timestampEnd = varintEnd(bytes, lengthEnd + 1, 10)
  const offsetEnd = varintEnd(bytes, timestampEnd, 5)
  const keyStart = varintEnd(bytes, offsetEnd, 5)
  return keyStart + 4 <= end && bytes.readInt16BE(keyStart + 2) === ABORT_MARKER
}

const MISCOUNTED = 'it counts more records than it holds'

/** The records of one batch that have not been taken yet. */
export type RecordSegment = {
  bytes: Buffer
  /** How they are compressed; 0 once they can be read. */
  codec: number
  /** Where the next record begins. */
  position: number
  end: number
  remaining: number
  /** No record up to this offset, included, is left. */
  passedOffset: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  /** The time of appending that all records have, or null where each has its own time. */
  readonly appendTimestamp: number | null
  /** The offset after the batch, and after what follows it without records to take. */
  nextOffset: number
  /** What letting it go frees. */
  readonly heldBytes: number
  /** Why the next record cannot be read. */
  damage: string | null
}

export const segmentOf = (bytes: Buffer, at: number, header: BatchHeader): RecordSegment => {
  const { end, baseOffset, lastOffset, codec, count } = header
  const stamped = (bytes.readUInt16BE(at + field.attributes) & attribute.logAppendTime) !== 0
  return {
    ...{ bytes, codec, position: at + field.records, end, remaining: count },
    ...{ passedOffset: baseOffset - 1, baseOffset, lastOffset },
    baseTimestamp: readInt64(bytes, at + field.baseTimestamp),
    appendTimestamp: stamped ? readInt64(bytes, at + field.maxTimestamp) : null,
    nextOffset: lastOffset + 1,
    heldBytes: end - at,
    damage: codec === 0 && count * MIN_RECORD_BYTES > end - at - field.records ? MISCOUNTED : null,
  }
}

/** Puts the decompressed records in the place of the compressed ones. */
export const unpack = (segment: RecordSegment, records: Buffer): void => {
  if (segment.remaining * MIN_RECORD_BYTES > records.length) segment.damage = MISCOUNTED
  segment.bytes = records
  segment.codec = 0
  segment.position = 0
  segment.end = records.length
}

/**
 * Reads records of a segment that is not compressed into the columns, and moves the segment on.
 * Ends early at a record that is not before `endOffset`, or that does not fit `maxBytes` (save the first of all), and
 * at a damaged one, which is then told in `segment.damage`.
 * @param first where the first one goes in the columns
 * @param last the columns before this one may be filled
 * @returns the column after the last one that was filled
 */
export const readRecords = (
  segment: RecordSegment,
  columns: RecordColumns,
  first: number,
  last: number,
  maxBytes: number,
  endOffset: number,
): number => {
  const { bytes, end, baseOffset, lastOffset, baseTimestamp, appendTimestamp } = segment
  const { offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, recordEnds } = columns
  const begin = segment.position
  const stop = Math.min(last, first + segment.remaining)
  let at = begin
  let passedOffset = segment.passedOffset
  let index = first
  // The varints are read in place: as a function that gives value and place, each would cost an object.
  for (; index < stop; index++) {
    let next = at
    let byte = bytes[next++]!
    let value = byte >>> 1
    if (byte > 0x7f) {
      next = varintEnd(bytes, at, 5)
      value = varintValue(bytes, at, next)
    }
    const recordEnd = next + value
    if ((byte & 1) !== 0 || value < MIN_RECORD_BYTES - 1 || recordEnd > end) {
      segment.damage = 'a record is longer than the batch'
      break
    }

    // One byte of attributes, which have no meaning yet.
    let start = ++next
    byte = bytes[next++]!
    let timestampDelta = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      next = varintEnd(bytes, start, 10)
      timestampDelta = varintValue(bytes, start, next)
    }

    start = next
    byte = bytes[next++]!
    let offsetDelta = byte >>> 1
    if (byte > 0x7f) {
      next = varintEnd(bytes, start, 5)
      offsetDelta = varintValue(bytes, start, next)
    }
    const offset = baseOffset + offsetDelta
    if ((byte & 1) !== 0 || offset <= passedOffset || offset > lastOffset) {
      segment.damage = 'the offsets of its records are not in order'
      break
    }
    if (offset >= endOffset) {
      passedOffset = Math.max(passedOffset, endOffset - 1)
      break
    }

    start = next
    byte = bytes[next++]!
    let keyLength = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      next = varintEnd(bytes, start, 5)
      keyLength = varintValue(bytes, start, next)
    }
    const keyStart = next
    if (keyLength > 0) next += keyLength
    const keyEnd = next

    start = next
    byte = bytes[next++]!
    let valueLength = (byte >>> 1) ^ -(byte & 1)
    if (byte > 0x7f) {
      next = varintEnd(bytes, start, 5)
      valueLength = varintValue(bytes, start, next)
    }
    const valueStart = next
    if (valueLength > 0) next += valueLength

    // Past the end, bytes are undefined and count as nothing, so that one look at the end is enough.
    if (next >= recordEnd || keyLength < -1 || valueLength < -1) {
      segment.damage = 'a key or value is longer than its record'
      break
    }
    const hasHeaders = bytes[next] !== 0
    if (!hasHeaders && next + 1 !== recordEnd) {
      segment.damage = 'a record is longer than what it holds'
      break
    }
    if (index > 0 && recordEnd - begin > maxBytes) break

    offsets[index] = offset
    timestamps[index] = appendTimestamp === null ? baseTimestamp + timestampDelta : appendTimestamp
    keyStarts[index] = keyLength < 0 ? -1 : keyStart
    keyEnds[index] = keyLength < 0 ? -1 : keyEnd
    valueStarts[index] = valueLength < 0 ? -1 : valueStart
    valueEnds[index] = valueLength < 0 ? -1 : next
    headerStarts[index] = hasHeaders ? next : -1
    recordEnds[index] = recordEnd
    passedOffset = offset
    at = recordEnd
  }
  segment.position = at
  segment.passedOffset = passedOffset
  segment.remaining -= index - first
  if (segment.remaining === 0 && at !== end) segment.damage = 'bytes are left after its last record'
  return index
}
