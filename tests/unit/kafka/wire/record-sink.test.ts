import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type CompressionName, codecs } from '../../../../src/kafka/compression/codecs.ts'
import type { OutgoingRecord } from '../../../../src/kafka/kafka-types.ts'
import type { EncodedBatch } from '../../../../src/kafka/wire/produce-protocol.ts'
import { nextSequence, type ProducerIdentity } from '../../../../src/kafka/wire/producer-identity.ts'
import { createBatchSink, finishAll } from '../../../../src/kafka/wire/record-sink.ts'
import { queueFrom, readable, reply } from '../../../support/record-batches.ts'

const now = () => 1_700_000_000_123

const identity = (sequence = 0): ProducerIdentity => ({
  ...{ producerId: 77n, producerEpoch: 5, transactional: true },
  baseSequenceOf: () => sequence,
})

/** The batches as a broker keeps them: each with the offset after the one before. */
const stored = (batches: readonly EncodedBatch[]): Buffer[] => {
  let offset = 0n
  return batches.map(({ bytes, records }) => {
    const copy = Buffer.from(bytes)
    copy.writeBigInt64BE(offset, 0)
    offset += BigInt(records)
    return copy
  })
}

const readBack = (batches: readonly EncodedBatch[]) => {
  const queue = queueFrom()
  reply(queue, stored(batches))
  return readable(queue.take(1_000_000, Number.POSITIVE_INFINITY))
}

const record = (value: string | null, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  ...{ topic: 'out', partition: 0, key: null, value: value === null ? null : Buffer.from(value) },
  ...more,
})

const textOf = (bytes: Uint8Array | string | null | undefined) =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes as Uint8Array).toString('latin1')

describe('records that are added', () => {
  test('come back as they were, with the time of the sink', () => {
    const sink = createBatchSink({ now })
    sink.add(record('v', { key: Buffer.from('k'), headers: { a: '1', ä: Buffer.from('two') } }))
    sink.add(record(null))
    sink.add(record('', { key: Buffer.alloc(0) }))
    const [round, ...others] = sink.finish(identity())
    expect(others).toEqual([])
    const at = { timestamp: now() }
    expect(readBack(round!)).toEqual([
      { ...at, offset: 0, key: 'k', value: 'v', headers: { a: '1', ä: 'two' } },
      { ...at, offset: 1, key: null, value: null, headers: {} },
      { ...at, offset: 2, key: '', value: '', headers: {} },
    ])
  })

  const bytes = fc.uint8Array({ maxLength: 300 })
  const anyRecord = fc.record({
    key: fc.option(bytes),
    value: fc.option(fc.oneof(bytes, fc.uint8Array({ minLength: 8000, maxLength: 20_000 }))),
    headers: fc.dictionary(fc.string({ maxLength: 80 }), fc.oneof(bytes, fc.string())),
  })

  test('whatever they hold, in every compression, however batches are cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(...(Object.keys(codecs) as CompressionName[])),
        fc.integer({ min: 100, max: 30_000 }),
        (records, compression, maxBatchBytes) => {
          const sink = createBatchSink({ compression, maxBatchBytes, now })
          for (const one of records) sink.add({ topic: 'out', partition: 0, ...one })
          expect(sink.records).toBe(records.length)
          const rounds = sink.finish(identity())
          const read = readBack(rounds.flat())
          expect(read.map(({ key, value }) => ({ key, value }))).toEqual(
            records.map(({ key, value }) => ({ key: textOf(key), value: textOf(value) })),
          )
          expect(read.map(({ headers }) => headers)).toEqual(
            records.map(({ headers }) =>
              Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)])),
            ),
          )
        },
      ),
      { seed: 5, numRuns: 60 },
    )
  }, 30_000)
})

describe('records of a lane', () => {
  test('keys, values and the header are copied at once, of every length', () => {
    const sink = createBatchSink({ maxBatchBytes: 20_000, now })
    const lane = sink.lane('out', 0, 'driftline.id')
    const scratch = Buffer.alloc(10_000)
    const expected: unknown[] = []
    for (let i = 0; i < 400; i++) {
      const [key, value, header] = ['k'.repeat(i % 90), `${i}-`.repeat(i % 71), `h${i}`.repeat(1 + (i % 40))]
      const keyStart = i % 7 === 0 ? -1 : 5
      scratch.write(key, 5, 'latin1')
      const keyBytes = Buffer.from(scratch.subarray(0, 5 + key.length))
      scratch.write(value + header, 3, 'latin1')
      const valueEnd = 3 + value.length
      lane.append(keyBytes, keyStart, 5 + key.length, scratch, 3, valueEnd, valueEnd + header.length)
      scratch.fill(0xee)
      expected.push({ key: keyStart < 0 ? null : key, value, headers: { 'driftline.id': header } })
    }
    const read = readBack(sink.finish(identity()).flat())
    expect(read.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(expected)
  })

  test('mix with others of the same partition in the order in which they came', () => {
    const sink = createBatchSink()
    const lane = sink.lane('out', 0, 'h')
    const value = Buffer.from('lane')
    sink.add(record('one'))
    lane.append(value, -1, 0, value, 0, 4, 4)
    sink.add(record('two'))
    sink.lane('out', 0, 'h').append(value, -1, 0, value, 0, 4, 4)
    expect(readBack(sink.finish(null).flat()).map((one) => one.value)).toEqual(['one', 'lane', 'two', 'lane'])
  })
})

describe('batches', () => {
  test('stay below their limit and come in rounds, one of a partition in each', () => {
    const sink = createBatchSink({ maxBatchBytes: 2000 })
    for (let i = 0; i < 100; i++) sink.add(record('x'.repeat(100)))
    for (let i = 0; i < 30; i++) sink.add(record('x'.repeat(100), { partition: 1 }))
    sink.add(record('x', { topic: 'other' }))
    const rounds = sink.finish(identity(10))
    const batches = rounds.flat()
    expect(Math.max(...batches.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(2000)
    expect(Math.min(...batches.map(({ records }) => records))).toBeGreaterThan(0)
    for (const round of rounds) {
      const places = round.map(({ topic, partition }) => `${topic}-${partition}`)
      expect(new Set(places).size).toBe(places.length)
    }
    expect(rounds[0]?.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual(['out-0', 'out-1', 'other-0'])
    const ofZero = batches.filter(({ topic, partition }) => topic === 'out' && partition === 0)
    expect(ofZero.reduce((sum, { records }) => sum + records, 0)).toBe(100)
    let sequence = 10
    for (const { baseSequence, records, bytes } of ofZero) {
      expect({ baseSequence, written: bytes.readInt32BE(53) }).toEqual({ baseSequence: sequence, written: sequence })
      sequence += records
    }
    expect({ records: sink.records, all: batches.reduce((sum, { records }) => sum + records, 0) }).toEqual({
      ...{ records: 131, all: 131 },
    })
  })

  test('a record above the limit of batches has one to itself, one above its own limit is refused', () => {
    const sink = createBatchSink({ maxBatchBytes: 1000, maxRecordBytes: 5000 })
    for (const length of [10, 3000, 10]) sink.add(record('x'.repeat(length)))
    expect(sink.finish(null).map(([batch]) => batch?.records)).toEqual([1, 1, 1])
    const tooLarge = expect.objectContaining({ code: 'SEND_FAILED', retryable: false })
    expect(() => sink.add(record('x'.repeat(5000)))).toThrow(tooLarge)
    const lane = sink.lane('out', 0, 'h')
    expect(() => lane.append(Buffer.alloc(1), 0, 1, Buffer.alloc(6000), 0, 5000, 5000)).toThrow(tooLarge)
  })

  test('carry who writes, or nobody', () => {
    const sink = createBatchSink({ now })
    sink.add(record('v'))
    const fields = (bytes: Buffer) => ({
      transactional: (bytes.readInt16BE(21) & 16) !== 0,
      producerId: bytes.readBigInt64BE(43),
      epoch: bytes.readInt16BE(51),
      sequence: bytes.readInt32BE(53),
      timestamps: [bytes.readBigInt64BE(27), bytes.readBigInt64BE(35)],
    })
    const timestamps = [BigInt(now()), BigInt(now())]
    expect(fields(sink.finish(identity(4))[0]![0]!.bytes)).toEqual({
      ...{ transactional: true, producerId: 77n, epoch: 5, sequence: 4, timestamps },
    })
    expect(fields(sink.finish({ ...identity(9), transactional: false })[0]![0]!.bytes)).toEqual({
      ...{ transactional: false, producerId: 77n, epoch: 5, sequence: 9, timestamps },
    })
    expect(fields(sink.finish(null)[0]![0]!.bytes)).toEqual({
      ...{ transactional: false, producerId: -1n, epoch: -1, sequence: -1, timestamps },
    })
  })

  test('are whole after the sink was used before, with more and with less', () => {
    const sink = createBatchSink({ maxBatchBytes: 3000 })
    for (const count of [200, 3, 50, 1, 400]) {
      for (let i = 0; i < count; i++) sink.add(record(`${count}-${i}`))
      const values = readBack(sink.finish(identity()).flat()).map(({ value }) => value)
      expect(values).toEqual(Array.from({ length: count }, (_, i) => `${count}-${i}`))
      sink.reset()
      expect({ records: sink.records, bytes: sink.bytes, rounds: sink.finish(identity()) }).toEqual({
        ...{ records: 0, bytes: 0, rounds: [] },
      })
    }
  })

  test('go into the same memory again and again, however often the sink is reset', () => {
    const sink = createBatchSink({ maxBatchBytes: 30_000 })
    const fillOnce = (): void => {
      sink.reset()
      for (let i = 0; i < 1000; i++) sink.add(record(`value ${i}, which takes some room`))
      sink.finish(identity())
      sink.reset()
    }
    fillOnce()
    fillOnce()
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow')
    for (let i = 0; i < 20; i++) fillOnce()
    expect(allocate).not.toHaveBeenCalled()
    allocate.mockRestore()
  })

  test('sequence numbers begin again after the last one of 31 bits', () => {
    const last = 2 ** 31 - 1
    expect([nextSequence(0, 3), nextSequence(last - 1, 1), nextSequence(last, 1), nextSequence(last, 5)]).toEqual([
      3,
      last,
      0,
      4,
    ])
  })
})

describe('several sinks for one producer', () => {
  const sinkOf = (...values: readonly (readonly [number, string])[]) => {
    const sink = createBatchSink({ now, maxBatchBytes: 200 })
    for (const [partition, value] of values) sink.add(record(value, { partition }))
    return sink
  }
  const partitionsOf = (rounds: readonly (readonly EncodedBatch[])[]) =>
    rounds.map((round) => round.map(({ partition }) => partition))

  test('share rounds where they write to different partitions', () => {
    const rounds = finishAll([sinkOf([0, 'a']), sinkOf([1, 'b'], [2, 'c'])], identity(4))
    expect(partitionsOf(rounds)).toEqual([[0, 1, 2]])
    expect(rounds.flat().map(({ baseSequence }) => baseSequence)).toEqual([4, 4, 4])
  })

  test('follow each other in a partition, with their sequence numbers', () => {
    const long = 'x'.repeat(100)
    const sinks = [sinkOf([0, long], [0, long], [1, 'a']), sinkOf([0, 'b'], [0, 'c']), sinkOf([1, 'd'], [3, 'e'])]
    const rounds = finishAll(sinks, identity(10))
    expect(partitionsOf(rounds)).toEqual([[0, 1], [0], [0], [1, 3]])
    const ofFirst = rounds.flat().filter(({ partition }) => partition === 0)
    expect(ofFirst.map(({ baseSequence, records }) => [baseSequence, records])).toEqual([
      [10, 1],
      [11, 1],
      [12, 2],
    ])
    expect(readBack(ofFirst).map(({ value }) => value)).toEqual([long, long, 'b', 'c'])
    const ofSecond = rounds.flat().filter(({ partition }) => partition === 1)
    expect(ofSecond.map(({ baseSequence }) => baseSequence)).toEqual([10, 11])
  })

  test('are nothing where none holds a record', () => {
    expect(finishAll([sinkOf(), sinkOf()], identity())).toEqual([])
  })
})
