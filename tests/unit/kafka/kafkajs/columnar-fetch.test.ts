import { createRequire } from 'node:module'
import type { Batch } from 'kafkajs'
import { expect, test } from 'vitest'
import { fetchColumnar, fetchedRecordsOf, lastOffsetOf } from '../../../../src/kafka/kafkajs/columnar-fetch.ts'
import { EncoderClass, fetchResponse } from '../../../../src/kafka/kafkajs/internals.ts'
import { createBatchSink } from '../../../../src/kafka/wire/record-sink.ts'

const require = createRequire(import.meta.url)
// The consumer's own batch, which has no types.
const KafkajsBatch = require('kafkajs/src/consumer/batch') as new (
  topic: string,
  fetchedOffset: string,
  partition: unknown,
) => Batch & { isEmpty: () => boolean; lastOffset: () => string }

/** A batch of records at these offsets, as a broker sends it. */
const recordsBetween = (from: number, to: number): Buffer => {
  const sink = createBatchSink()
  for (let i = from; i < to; i++) sink.add({ topic: 't', partition: 0, key: null, value: Buffer.from(`v${i}`) })
  const bytes = Buffer.from(sink.finish(null)[0]?.[0]?.bytes ?? [])
  bytes.writeBigInt64BE(BigInt(from))
  return bytes
}

type Partition = { readonly records: Buffer | null; readonly aborted?: readonly (readonly [string, string])[] }

/** A reply to Fetch, version 11, with these partitions of one topic. */
const replyWith = (...partitions: readonly Partition[]): Buffer => {
  const encoder = new EncoderClass().writeInt32(0).writeInt16(0).writeInt32(0).writeInt32(1).writeString('t')
  encoder.writeInt32(partitions.length)
  for (const [partition, { records, aborted = [] }] of partitions.entries()) {
    encoder.writeInt32(partition).writeInt16(0).writeInt64('50').writeInt64('40').writeInt64('3')
    encoder.writeInt32(aborted.length)
    for (const [producerId, firstOffset] of aborted) encoder.writeInt64(producerId).writeInt64(firstOffset)
    encoder.writeInt32(-1)
    if (records === null) encoder.writeInt32(-1)
    else encoder.writeBytes(records)
  }
  return (encoder as unknown as { buffer: Buffer }).buffer
}

type Reply = { responses: { topicName: string; partitions: { messages: unknown[]; highWatermark: string }[] }[] }

const decode = async (payload: Buffer): Promise<Reply['responses'][number]['partitions']> => {
  fetchColumnar()
  const response = fetchResponse()
  const reply = (await response.parse(await response.decode(payload))) as Reply
  expect(reply.responses.map(({ topicName }) => topicName)).toEqual(['t'])
  return reply.responses[0]!.partitions
}

test('kafkajs carries the bytes of a partition as one message at their last offset', async () => {
  const records = Buffer.concat([recordsBetween(10, 13), recordsBetween(13, 20)])
  const [partition, empty] = await decode(replyWith({ records, aborted: [['77', '12']] }, { records: null }))
  const batch = new KafkajsBatch('t', '12', partition)
  expect(batch.isEmpty()).toBe(false)
  expect(batch.lastOffset()).toBe('19')
  expect(partition?.highWatermark).toBe('50')
  expect(fetchedRecordsOf(batch)).toEqual({
    records,
    abortedTransactions: [{ producerId: 77n, firstOffset: 12n }],
  })
  const none = new KafkajsBatch('t', '12', empty)
  expect(none.isEmpty()).toBe(true)
  expect(fetchedRecordsOf(none)).toBeUndefined()
})

test('the last offset is that of the last whole batch', () => {
  const whole = Buffer.concat([recordsBetween(0, 5), recordsBetween(7, 9)])
  expect(lastOffsetOf(whole)).toBe(8n)
  const cut = Buffer.concat([whole, recordsBetween(9, 30).subarray(0, 70)])
  expect(lastOffsetOf(cut)).toBe(8n)
  for (const length of [0, 1, 11, 12, 60, recordsBetween(0, 5).length - 1]) {
    expect(lastOffsetOf(whole.subarray(0, length))).toBeNull()
  }
})

test('what is damaged is handed on, wherever one reads, so that it is refused and not passed over', async () => {
  const old = recordsBetween(0, 5)
  old.writeInt8(1, 16)
  expect(lastOffsetOf(old)).toBe(2n ** 63n - 1n)
  const [partition] = await decode(replyWith({ records: old }))
  expect(fetchedRecordsOf(new KafkajsBatch('t', '1000', partition))).toMatchObject({ records: old })
})
