import type { RawRecord, RecordBatch } from './kafka-types.ts'

/** One record of a batch as an object over the same bytes: valid as long as the batch is. */
export const recordAt = (batch: RecordBatch, index: number): RawRecord => {
  const { topic, partition, bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch
  const keyStart = keyStarts[index]!
  const valueStart = valueStarts[index]!
  return {
    topic,
    partition,
    offset: BigInt(batch.offsets[index]!),
    timestamp: batch.timestamps[index]!,
    key: keyStart < 0 ? null : bytes.subarray(keyStart, keyEnds[index]!),
    value: valueStart < 0 ? null : bytes.subarray(valueStart, valueEnds[index]!),
    headers: batch.headersOf(index),
  }
}

/** All records of a batch as objects, for handlers that are not in a hurry. */
export const recordsOf = (batch: RecordBatch): RawRecord[] =>
  Array.from({ length: batch.length }, (_, index) => recordAt(batch, index))

const copyOf = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))

const copyHeaders = (headers: RawRecord['headers']): RawRecord['headers'] => {
  const copies: Record<string, Uint8Array> = Object.create(null)
  for (const name in headers) copies[name] = Buffer.from(headers[name]!)
  return copies
}

/** All records of a batch as objects with bytes of their own, which may be kept when the batch is gone. */
export const ownRecordsOf = (batch: RecordBatch): RawRecord[] =>
  recordsOf(batch).map((record) => ({
    ...record,
    ...{ key: copyOf(record.key), value: copyOf(record.value), headers: copyHeaders(record.headers) },
  }))
