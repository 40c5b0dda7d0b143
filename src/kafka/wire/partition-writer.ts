import { codecs } from '../compression/codecs.ts'
import { SendFailed } from '../kafka-errors.ts'
import type { OutgoingRecord } from '../kafka-types.ts'
import { crc32c } from '../library-parts.ts'
import { attribute, field, LENGTH_COUNTS_FROM, MAGIC, writeInt64 } from './batch-layout.ts'
import { createHeaderEncoder } from './header-encoder.ts'
import type { EncodedBatch } from './produce-protocol.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import { nextSequence } from './producer-identity.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** Writes the records of one partition into batches, each in a buffer of its own that is used again. */
export type PartitionWriter = {
  /** The batch that records go into now; written up to `at`. */
  buffer: Buffer
  at: number
  /** Records in that batch. */
  count: number
  /**
   * Makes room for one more record, in a new batch if this one would get too long.
   * @param bytes the most that the record may take
   * @throws SendFailed if no batch may be so long
   */
  readonly makeRoom: (bytes: number) => void
  readonly add: (record: OutgoingRecord) => void
  /** Records since the last reset, and their bytes with those of the batches around them. */
  readonly records: () => number
  readonly bytes: () => number
  readonly finish: (identity: ProducerIdentity | null, codec: number, compress: Compress) => EncodedBatch[]
  readonly reset: () => void
}

type Compress = (codec: number, records: Buffer) => Buffer

type SealedBatch = { readonly buffer: Buffer; readonly end: number; readonly count: number; readonly timestamp: number }

export type PartitionWriterOptions = {
  readonly topic: string
  readonly partition: number
  readonly maxBatchBytes: number
  readonly maxRecordBytes: number
  readonly now: () => number
}

const FIRST_BUFFER_BYTES = 4096
const NO_BYTES = Buffer.alloc(0)

/** Lengths, offset, attributes and timestamp of a record take no more than this. */
const RECORD_OVERHEAD_BYTES = 32

const writeBytes = (target: Buffer, bytes: Uint8Array | null, at: number): number => {
  const next = writeVarint(target, bytes === null ? -1 : bytes.byteLength, at)
  if (bytes === null) return next
  target.set(bytes, next)
  return next + bytes.byteLength
}

/** Fills the header of a batch whose records stand behind it. */
const writeBatchHeader = (
  bytes: Buffer,
  { count, timestamp }: SealedBatch,
  identity: ProducerIdentity | null,
  baseSequence: number,
  codec: number,
): void => {
  writeInt64(bytes, 0, field.baseOffset)
  bytes.writeInt32BE(bytes.length - LENGTH_COUNTS_FROM, field.batchLength)
  bytes.writeInt32BE(-1, field.leaderEpoch)
  bytes[field.magic] = MAGIC
  bytes.writeInt16BE(codec | (identity?.transactional ? attribute.transactional : 0), field.attributes)
  bytes.writeInt32BE(count - 1, field.lastOffsetDelta)
  writeInt64(bytes, timestamp, field.baseTimestamp)
  writeInt64(bytes, timestamp, field.maxTimestamp)
  bytes.writeBigInt64BE(identity?.producerId ?? -1n, field.producerId)
  bytes.writeInt16BE(identity?.producerEpoch ?? -1, field.producerEpoch)
  bytes.writeInt32BE(baseSequence, field.baseSequence)
  bytes.writeInt32BE(count, field.count)
  bytes.writeUInt32BE(crc32c(bytes.subarray(field.attributes)), field.crc)
}

export const createPartitionWriter = (options: PartitionWriterOptions): PartitionWriter => {
  const { topic, partition, maxBatchBytes, maxRecordBytes, now } = options
  let sealed: SealedBatch[] = []
  let spare: Buffer[] = []
  let timestamp = 0
  const headerEncoder = createHeaderEncoder()

  const seal = (): void => {
    const { buffer, at, count } = writer
    sealed.push({ buffer, end: at, count, timestamp })
    // The next record gets one: after the last batch none is needed until the buffers of this time are free again.
    writer.buffer = NO_BYTES
    writer.at = field.records
    writer.count = 0
  }

  const grow = (needed: number): void => {
    const { buffer, at } = writer
    const usual = buffer.length === 0 ? (sealed.at(-1)?.buffer.length ?? FIRST_BUFFER_BYTES) : buffer.length * 2
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(usual, maxBatchBytes)))
    buffer.copy(grown, 0, 0, at)
    writer.buffer = grown
  }

  const writer: PartitionWriter = {
    buffer: NO_BYTES,
    at: field.records,
    count: 0,

    makeRoom: (bytes) => {
      if (bytes > maxRecordBytes) {
        throw new SendFailed(
          `a record of ${bytes} bytes for ${topic}-${partition} is above the ${maxRecordBytes} that one may have`,
        )
      }
      if (writer.count > 0 && writer.at + bytes > maxBatchBytes) seal()
      if (writer.count === 0) timestamp = now()
      if (writer.buffer.length === 0) writer.buffer = spare.pop() ?? NO_BYTES
      if (writer.at + bytes > writer.buffer.length) grow(writer.at + bytes)
    },

    add: (record) => {
      const { key, value } = record
      const headersEnd = headerEncoder.encode(record.headers)
      const body = (key?.byteLength ?? 0) + (value?.byteLength ?? 0) + headersEnd
      writer.makeRoom(body + RECORD_OVERHEAD_BYTES)
      const { buffer, count } = writer
      const keyLength = varintBytes(key?.byteLength ?? -1)
      const valueLength = varintBytes(value?.byteLength ?? -1)
      let at = writeVarint(buffer, 2 + varintBytes(count) + keyLength + valueLength + body, writer.at)
      // No attributes, and the timestamp of the batch.
      buffer[at++] = 0
      buffer[at++] = 0
      at = writeVarint(buffer, count, at)
      at = writeBytes(buffer, key, at)
      at = writeBytes(buffer, value, at)
      writer.at = at + headerEncoder.bytes().copy(buffer, at, 0, headersEnd)
      writer.count = count + 1
    },

    records: () => sealed.reduce((sum, batch) => sum + batch.count, writer.count),
    bytes: () => sealed.reduce((sum, batch) => sum + batch.end, writer.count > 0 ? writer.at : 0),

    finish: (identity, codec, compress) => {
      if (writer.count > 0) seal()
      let sequence = identity?.baseSequenceOf(topic, partition) ?? -1
      return sealed.map((batch) => {
        const { buffer, end, count } = batch
        const baseSequence = sequence
        if (identity !== null) sequence = nextSequence(sequence, count)
        const bytes =
          codec === codecs.none
            ? buffer.subarray(0, end)
            : Buffer.concat([buffer.subarray(0, field.records), compress(codec, buffer.subarray(field.records, end))])
        writeBatchHeader(bytes, batch, identity, baseSequence, codec)
        return { topic, partition, records: count, baseSequence, bytes }
      })
    },

    reset: () => {
      // Kept is what was used this time, not before; a buffer that one huge record made is not. A reset after a reset
      // keeps it all the same.
      const used = [...sealed.map(({ buffer }) => buffer), writer.buffer]
      const kept = used.filter(({ length }) => length > 0 && length <= maxBatchBytes)
      if (kept.length > 0) spare = kept
      sealed = []
      writer.buffer = NO_BYTES
      writer.at = field.records
      writer.count = 0
    },
  }
  return writer
}
