/**
 * Where the fields of a record batch stand (magic 2, all numbers big-endian), and the bits of its attributes.
 * https://kafka.apache.org/documentation/#recordbatch
 */
export const field = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const

/** The length of a batch is counted from after the field that tells it. */
export const LENGTH_COUNTS_FROM = field.leaderEpoch

/** Length, attributes, timestamp, offset, no key, no value, no headers: a byte each. */
export const MIN_RECORD_BYTES = 7

export const attribute = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const

export const MAGIC = 2

/** Exact below 2^53, as offsets and times are. */
export const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

/** @param value an integer from -(2^53) to 2^53 */
export const writeInt64 = (bytes: Buffer, value: number, at: number): void => {
  const high = Math.floor(value / 2 ** 32)
  bytes.writeInt32BE(high, at)
  bytes.writeUInt32BE(value - high * 2 ** 32, at + 4)
}
