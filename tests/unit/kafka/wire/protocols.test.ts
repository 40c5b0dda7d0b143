import { fetchV11, fetchV12, produceV8, produceV9, produceV11, Reader, Writer } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { FETCH_VERSIONS, type FetchRequest, fetchCall } from '../../../../src/kafka/wire/fetch-protocol.ts'
import { PRODUCE_VERSIONS, produceCall } from '../../../../src/kafka/wire/produce-protocol.ts'
import { createBatchSink } from '../../../../src/kafka/wire/record-sink.ts'
import { commonVersion, type WireCall } from '../../../../src/kafka/wire/wire-call.ts'
import { dataBatch } from '../../../support/record-batches.ts'

const parse = <Reply>(call: WireCall<Reply>, bytes: Buffer | Writer): Reply =>
  call.parse(1, call.apiKey, call.apiVersion, Reader.from(bytes as Buffer))

/** The same bytes as they come from a socket, in pieces. */
const inPieces = (bytes: Buffer, size: number): Writer => {
  const writer = Writer.create()
  for (let at = 0; at < bytes.length; at += size) writer.append(bytes.subarray(at, at + size))
  return writer
}

const fetchRequest: FetchRequest = {
  ...{ maxWaitMs: 500, minBytes: 1, maxBytes: 1_000_000, readCommitted: true },
  topics: [
    {
      topic: 'events',
      partitions: [
        { partition: 0, offset: 12n, maxBytes: 4000 },
        { partition: 7, offset: 2n ** 40n, maxBytes: 5000, leaderEpoch: 3 },
      ],
    },
    { topic: 'ämter', partitions: [{ partition: 1, offset: 0n, maxBytes: 6000 }] },
  ],
}

describe('Fetch', () => {
  test.each([
    [11, fetchV11.createRequest],
    [12, fetchV12.createRequest],
  ] as const)('version %s is asked as the library asks', (version, createRequest) => {
    const { maxWaitMs, minBytes, maxBytes, topics } = fetchRequest
    const theirs = createRequest(
      ...([maxWaitMs, minBytes, maxBytes, 1, 0, -1] as const),
      topics.map(({ topic, partitions }) => ({
        topicId: topic,
        partitions: partitions.map(({ partition, offset, maxBytes, leaderEpoch = -1 }) => ({
          ...{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes },
          ...{ currentLeaderEpoch: leaderEpoch, lastFetchedEpoch: -1 },
        })),
      })),
      [],
      '',
    )
    const call = fetchCall(version, fetchRequest)
    expect(call.payload().buffer.toString('hex')).toBe(theirs.buffer.toString('hex'))
    expect({ key: call.apiKey, version: call.apiVersion, flexible: call.flexible }).toEqual({
      ...{ key: 1, version, flexible: version >= 12 },
    })
  })

  const records = Buffer.concat([dataBatch(4n, [12, 13]), dataBatch(4n, [14]).subarray(0, 30)])

  const fetchReply = (version: number): Buffer => {
    const flexible = version >= 12
    const tags = (writer: Writer): Writer => (flexible ? writer.appendTaggedFields() : writer)
    const partition = (writer: Writer, index: number, errorCode: number, bytes: Buffer | null): void => {
      writer.appendInt32(index).appendInt16(errorCode).appendInt64(99n).appendInt64(98n).appendInt64(5n)
      const aborted = errorCode === 0 ? [[4n, 12n] as const] : null
      writer.appendArray(
        aborted as [bigint, bigint][],
        (w, [producerId, firstOffset]) => {
          w.appendInt64(producerId).appendInt64(firstOffset)
        },
        ...([flexible, flexible] as const),
      )
      writer.appendInt32(-1).appendBytes(bytes, flexible)
    }
    const writer = Writer.create().appendInt32(17).appendInt16(0).appendInt32(0)
    writer.appendArray(
      ['events', 'others'],
      (w, topic) => {
        w.appendString(topic, flexible)
        w.appendArray(
          topic === 'events' ? [0, 1] : [5],
          (_, index) => {
            partition(w, index, index === 1 ? 6 : 0, index === 0 ? records : null)
            if (!flexible) return
            if (index !== 1) w.appendTaggedFields()
            // A diverging epoch and the leader in truth: tags 0 and 1.
            else {
              w.append(Buffer.from([2, 0, 13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0]))
              w.append(Buffer.from([1, 9, 0, 0, 0, 3, 0, 0, 0, 8, 0]))
            }
          },
          ...([flexible, false] as const),
        )
      },
      ...([flexible, flexible] as const),
    )
    return tags(writer).buffer
  }

  test.each([11, 12])('the reply of version %s, in pieces of any size', (version) => {
    const bytes = fetchReply(version)
    for (const size of [1, 7, 64, bytes.length]) {
      const reply = parse(fetchCall(version, fetchRequest), inPieces(bytes, size))
      expect(reply).toEqual({
        ...{ throttleTimeMs: 17, errorCode: 0 },
        partitions: [
          {
            ...{ topic: 'events', partition: 0, errorCode: 0 },
            ...{ highWatermark: 99n, lastStableOffset: 98n, logStartOffset: 5n },
            ...{ abortedTransactions: [{ producerId: 4n, firstOffset: 12n }], leader: null, records },
          },
          {
            ...{ topic: 'events', partition: 1, errorCode: 6 },
            ...{ highWatermark: 99n, lastStableOffset: 98n, logStartOffset: 5n, abortedTransactions: [] },
            ...{ leader: version === 12 ? { id: 3, epoch: 8 } : null, records: null },
          },
          expect.objectContaining({ topic: 'others', partition: 5, records: null }),
        ],
      })
    }
  })

  test.each([11, 12])('a reply of version %s that ends early is refused by the typed error', (version) => {
    const bytes = fetchReply(version)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parse(fetchCall(version, fetchRequest), Buffer.from(bytes.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'KAFKA_UNAVAILABLE', message: expect.stringContaining('Fetch') }),
      )
    }
  })

  test('a list that claims to be endless is refused at once', () => {
    const bytes = Writer.create()
      .appendInt32(0)
      .appendInt16(0)
      .appendInt32(0)
      .appendInt32(2 ** 31 - 1).buffer
    expect(() => parse(fetchCall(11, fetchRequest), bytes)).toThrow(
      expect.objectContaining({ code: 'KAFKA_UNAVAILABLE' }),
    )
  })
})

describe('Produce', () => {
  const sink = createBatchSink({ now: () => 1_700_000_000_000 })
  const value = Buffer.from('v')
  for (const [topic, partition] of [
    ['a', 0],
    ['b', 2],
    ['a', 1],
    ['a', 0],
  ] as const) {
    sink.add({ topic, partition, key: null, value })
  }
  const identity = { producerId: 7n, producerEpoch: 0, transactional: true, baseSequenceOf: () => 0 }
  const [batches] = sink.finish(identity)
  const request = { transactionalId: 'id', acks: -1 as const, timeoutMs: 900, batches: batches! }

  test.each([
    [8, produceV8.createRequest],
    [9, produceV9.createRequest],
    [11, produceV11.createRequest],
  ] as const)('version %s is asked as the library asks', (version, createRequest) => {
    const message = (topic: string, partition: number) => ({
      ...{ topic, partition, value, timestamp: 1_700_000_000_000n, headers: new Map() },
    })
    const theirs = createRequest(
      -1,
      900,
      [message('a', 0), message('a', 0), message('a', 1), message('b', 2)] as never,
      ...([{ transactionalId: 'id', producerId: 7n, producerEpoch: 0, partitionLeaderEpoch: -1 }] as never[]),
    ) as Writer
    const ours = produceCall(version, request).payload()
    // The library writes the partitions of a topic in the order of their records too.
    expect(ours.buffer.toString('hex')).toBe(theirs.buffer.toString('hex'))
  })

  const produceReply = (version: number): Buffer => {
    const flexible = version >= 9
    const writer = Writer.create()
    writer.appendArray(
      ['a'],
      (w, topic) => {
        w.appendString(topic, flexible).appendArray(
          [0, 1],
          (_, index) => {
            w.appendInt32(index).appendInt16(index === 1 ? 10 : 0)
            w.appendInt64(index === 1 ? -1n : 55n)
              .appendInt64(-1n)
              .appendInt64(3n)
            w.appendArray(
              index === 1 ? [4] : [],
              (_, record) => {
                w.appendInt32(record).appendString('too old', flexible)
              },
              ...([flexible, flexible] as const),
            )
            w.appendString(null, flexible)
            if (!flexible) return
            if (version < 10 || index === 0) w.appendTaggedFields()
            else w.append(Buffer.from([1, 0, 9, 0, 0, 0, 3, 0, 0, 0, 8, 0]))
          },
          ...([flexible, false] as const),
        )
      },
      ...([flexible, flexible] as const),
    )
    writer.appendInt32(21)
    return (flexible ? writer.appendTaggedFields() : writer).buffer
  }

  test.each([8, 9, 10, 12])('the reply of version %s', (version) => {
    const bytes = produceReply(version)
    expect(parse(produceCall(version, request), inPieces(bytes, 5))).toEqual({
      throttleTimeMs: 21,
      partitions: [
        {
          ...{ topic: 'a', partition: 0, errorCode: 0, errorMessage: null, baseOffset: 55n, logStartOffset: 3n },
          leader: null,
        },
        {
          ...{ topic: 'a', partition: 1, errorCode: 10, errorMessage: 'record 4: too old', baseOffset: -1n },
          ...{ logStartOffset: 3n, leader: version >= 10 ? { id: 3, epoch: 8 } : null },
        },
      ],
    })
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parse(produceCall(version, request), Buffer.from(bytes.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'KAFKA_UNAVAILABLE', message: expect.stringContaining('Produce') }),
      )
    }
  })
})

test('the newest version that both sides speak is taken', () => {
  expect(commonVersion(FETCH_VERSIONS, { min: 4, max: 17 })).toBe(12)
  expect(commonVersion(FETCH_VERSIONS, { min: 0, max: 11 })).toBe(11)
  expect(commonVersion(FETCH_VERSIONS, { min: 0, max: 10 })).toBe(null)
  expect(commonVersion(FETCH_VERSIONS, { min: 13, max: 18 })).toBe(null)
  expect(commonVersion(PRODUCE_VERSIONS, { min: 3, max: 8 })).toBe(8)
})
