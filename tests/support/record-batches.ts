import { jsCRC32C } from '@platformatic/kafka'
import { compressRecords } from '../../src/kafka/compression/compress.ts'
import type { RecordBatch } from '../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import type { AbortedTransaction } from '../../src/kafka/wire/fetch-protocol.ts'
import { createRecordQueue, type RecordQueue } from '../../src/kafka/wire/record-queue.ts'

/*
 * Record batches as brokers store them, written the plain way: numbers are BigInts, and every field can be chosen. An
 * encoder of its own, so that ours is not tested against itself.
 */

export type WrittenRecord = {
  readonly offset: number
  readonly timestamp?: number
  readonly key?: Uint8Array | string | null
  readonly value?: Uint8Array | string | null
  readonly headers?: readonly (readonly [string, Uint8Array | string | null])[]
}

export type WrittenBatch = {
  readonly records: readonly WrittenRecord[]
  readonly baseOffset?: number
  readonly lastOffset?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly logAppendTime?: boolean
  readonly maxTimestamp?: number
  readonly producerId?: bigint
  readonly codec?: number
  readonly magic?: number
  /** In place of what was counted. */
  readonly count?: number
  /** In place of the records. */
  readonly payload?: Buffer
}

const varint = (value: number | bigint): Buffer => {
  const wide = BigInt(value)
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const field = (value: Uint8Array | string | null | undefined): Buffer => {
  if (value === null || value === undefined) return varint(-1)
  const bytes = Buffer.from(value as Uint8Array)
  return Buffer.concat([varint(bytes.length), bytes])
}

const recordBytes = (record: WrittenRecord, baseOffset: number, baseTimestamp: number): Buffer => {
  const headers = record.headers ?? []
  const body = Buffer.concat([
    Buffer.of(0),
    varint((record.timestamp ?? 0) - baseTimestamp),
    varint(record.offset - baseOffset),
    field(record.key),
    field(record.value),
    varint(headers.length),
    ...headers.flatMap(([name, value]) => [field(name), field(value)]),
  ])
  return Buffer.concat([varint(body.length), body])
}

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value])
const int32 = (value: number): Buffer => Buffer.from([value >> 24, value >> 16, value >> 8, value])
const int64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

export const writtenBatch = (batch: WrittenBatch): Buffer => {
  const { records, codec = 0, producerId = -1n, magic = 2 } = batch
  const baseOffset = batch.baseOffset ?? records[0]?.offset ?? 0
  const lastOffset = batch.lastOffset ?? records.at(-1)?.offset ?? baseOffset
  const baseTimestamp = records[0]?.timestamp ?? 0
  const flags = [batch.logAppendTime && 8, batch.transactional && 16, batch.control && 32]
  const attributes = flags.reduce<number>((sum, flag) => sum | (flag || 0), codec)
  const plain = Buffer.concat(records.map((record) => recordBytes(record, baseOffset, baseTimestamp)))
  const checked = Buffer.concat([
    int16(attributes),
    int32(lastOffset - baseOffset),
    int64(baseTimestamp),
    int64(batch.maxTimestamp ?? Math.max(...records.map(({ timestamp = 0 }) => timestamp), 0)),
    int64(producerId),
    int16(0),
    int32(-1),
    int32(batch.count ?? records.length),
    batch.payload ?? (codec === 0 ? plain : compressRecords(codec, plain)),
  ])
  const rest = Buffer.concat([int32(-1), Buffer.of(magic), int32(jsCRC32C(checked) | 0), checked])
  return Buffer.concat([int64(baseOffset), int32(rest.length), rest])
}

/** Records of one transaction, a record for each offset. */
export const dataBatch = (producerId: bigint, offsets: readonly number[], transactional = true): Buffer =>
  writtenBatch({ records: offsets.map((offset) => ({ offset, value: `v${offset}` })), producerId, transactional })

/** What ends a transaction: the key holds a version and 0 for abort or 1 for commit. */
export const markerBatch = (producerId: bigint, offset: number, kind: 'abort' | 'commit'): Buffer =>
  writtenBatch({
    records: [{ offset, key: Buffer.of(0, 0, 0, kind === 'commit' ? 1 : 0), value: Buffer.alloc(6) }],
    ...{ producerId, transactional: true, control: true },
  })

export const queueFrom = (offset = 0, maxBatchBytes?: number): RecordQueue =>
  createRecordQueue({
    ...{ topic: 'topic', partition: 3, offset: BigInt(offset) },
    ...(maxBatchBytes === undefined ? {} : { maxBatchBytes }),
  })

/** Adds batches as the reply to the queue's own request. */
export const reply = (
  queue: RecordQueue,
  batches: readonly Buffer[],
  aborted: readonly [bigint, number][] = [],
): number =>
  queue.push(
    {
      records: batches.length === 0 ? null : Buffer.concat(batches),
      abortedTransactions: aborted.map(
        ([producerId, firstOffset]): AbortedTransaction => ({ producerId, firstOffset: BigInt(firstOffset) }),
      ),
    },
    queue.fetchOffset,
  )

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('latin1')

/** The records of a batch with their bytes as text. */
export const readable = (batch: RecordBatch | null) =>
  batch === null
    ? []
    : recordsOf(batch).map(({ offset, timestamp, key, value, headers }) => ({
        offset: Number(offset),
        timestamp,
        key: text(key),
        value: text(value),
        headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, text(bytes)])),
      }))

/** All that can be taken, in one batch. */
export const takeAll = (queue: RecordQueue) => readable(queue.take(1_000_000, Number.POSITIVE_INFINITY))

export const offsetsOf = (queue: RecordQueue): number[] => takeAll(queue).map(({ offset }) => offset)
