import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import type { OffsetRange, RecordBatch } from '../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, kafkaBrokers, text, uniqueName } from '../support/kafka.ts'
import { createRawTransactions } from '../support/raw-transactions.ts'
import { type KafkaContract, numbered } from './kafka-contract.ts'

type Seen = { partition: number; offset: bigint; key: string | null }

export const describeKafkaRanges = ({ bench }: KafkaContract): void => {
  /** Reads ranges, and keeps what came. */
  const read = async (
    topic: string,
    ranges: ReadonlyMap<number, OffsetRange>,
    also: (batch: RecordBatch) => Promise<void> | void = () => undefined,
  ): Promise<Seen[]> => {
    const seen: Seen[] = []
    await bench().client.readRanges({
      topic,
      ranges,
      process: async (batch) => {
        for (const { partition, offset, key } of recordsOf(batch)) seen.push({ partition, offset, key: text(key) })
        await also(batch)
      },
    })
    return seen
  }

  const offsetsOf = (seen: readonly Seen[], partition: number): bigint[] =>
    seen.filter((record) => record.partition === partition).map(({ offset }) => offset)

  const upTo = (from: number, to: number): bigint[] => Array.from({ length: to - from }, (_, i) => BigInt(from + i))

  describe('ranges', () => {
    test('reads what lies between two offsets, each partition in its order, and no more', async () => {
      const topic = await bench().topic({ partitions: 3 })
      await bench().producer.send(numbered(topic, 0, 600, 3))
      const ranges = new Map([
        [0, { from: 10n, to: 190n }],
        [2, { from: 0n, to: 200n }],
      ])
      const seen = await read(topic, ranges)
      expect(offsetsOf(seen, 0)).toEqual(upTo(10, 190))
      expect(offsetsOf(seen, 1)).toEqual([])
      expect(offsetsOf(seen, 2)).toEqual(upTo(0, 200))
      expect(seen.find(({ partition, offset }) => partition === 0 && offset === 10n)?.key).toBe('k30')
    })

    test('reads more than one reply holds', async () => {
      const topic = await bench().topic({ partitions: 2 })
      const value = Buffer.alloc(20_000, 7)
      for (let i = 0; i < 3; i++) {
        await bench().producer.send(
          Array.from({ length: 150 }, (_, j) => ({ topic, partition: j % 2, key: null, value })),
        )
      }
      const seen = await read(topic, await bench().admin.offsetRanges(topic))
      expect(offsetsOf(seen, 0)).toEqual(upTo(0, 225))
      expect(offsetsOf(seen, 1)).toEqual(upTo(0, 225))
    })

    test('has nothing to do for empty ranges', async () => {
      const topic = await bench().topic({ partitions: 2 })
      expect(await read(topic, new Map())).toEqual([])
      expect(await read(topic, new Map([[0, { from: 0n, to: 0n }]]))).toEqual([])
      expect(await read(topic, await bench().admin.offsetRanges(topic))).toEqual([])
    })

    // The ways in which aborted transactions reach readers that look at the wrong places.
    test('shows only what is committed, and reaches an end of which no record is left', async () => {
      const topic = await bench().topic({ partitions: 2 })
      const [one, two] = await Promise.all([
        createRawTransactions(uniqueName('a')),
        createRawTransactions(uniqueName('b')),
      ])
      try {
        // Aborted again and again by one producer, with a commit in between.
        for (let i = 0; i < 4; i++) {
          const aborted = await one.begin()
          await aborted.send(topic, 0, `aborted-${i}`)
          await aborted.abort()
          if (i !== 1) continue
          const committed = await one.begin()
          await committed.send(topic, 0, 'between')
          await committed.commit()
        }
        // Interleaved: one is aborted within the other, which is committed, and the other way round.
        for (const [outer, inner] of [
          ['commit', 'abort'],
          ['abort', 'commit'],
        ] as const) {
          const outside = await one.begin()
          await outside.send(topic, 0, `outer-${outer}-1`)
          const inside = await two.begin()
          await inside.send(topic, 0, `inner-${inner}`)
          await outside.send(topic, 0, `outer-${outer}-2`)
          await inside[inner]()
          await outside.send(topic, 0, `outer-${outer}-3`)
          await outside[outer]()
        }
        // Longer than one reply.
        const long = await two.begin()
        const large = 'x'.repeat(200_000)
        for (let i = 0; i < 20; i++) await long.send(topic, 1, `${i}-${large}`)
        await long.abort()
      } finally {
        await Promise.all([one.close(), two.close()])
      }
      const ranges = await bench().admin.offsetRanges(topic)
      expect(ranges.get(1)).toEqual({ from: 0n, to: 21n })
      const seen = await read(topic, ranges)
      const committed = await committedRecords(topic)
      expect(seen).toEqual(committed.map(({ partition, offset, key }) => ({ partition, offset, key })))
      expect(seen.map(({ key }) => key)).toEqual([
        'between',
        'outer-commit-1',
        'outer-commit-2',
        'outer-commit-3',
        'inner-commit',
      ])
    })

    test('moves to the first record that the log still holds', async () => {
      const topic = await bench().topic()
      await bench().producer.send(numbered(topic, 0, 20, 1))
      const admin = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      try {
        // Loads what the next call needs to know.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '12' }] })
      } finally {
        await admin.disconnect()
      }
      expect((await bench().admin.offsetRanges(topic)).get(0)).toEqual({ from: 12n, to: 20n })
      expect(offsetsOf(await read(topic, new Map([[0, { from: 0n, to: 15n }]])), 0)).toEqual(upTo(12, 15))
      // Nothing of it is left.
      expect(await read(topic, new Map([[0, { from: 0n, to: 12n }]]))).toEqual([])
    })

    test('waits for records that are still to come, until it is told to stop', async () => {
      const topic = await bench().topic()
      await bench().producer.send(numbered(topic, 0, 5, 1))
      const stopping = new AbortController()
      const seen: bigint[] = []
      const reading = bench().client.readRanges({
        topic,
        ranges: new Map([[0, { from: 0n, to: 100n }]]),
        process: (batch) => {
          seen.push(...recordsOf(batch).map(({ offset }) => offset))
        },
        signal: stopping.signal,
      })
      reading.catch(() => undefined)
      await eventually(() => expect(seen).toEqual(upTo(0, 5)))
      await bench().producer.send(numbered(topic, 5, 8, 1))
      await eventually(() => expect(seen).toEqual(upTo(0, 8)))
      const reason = new Error('enough')
      stopping.abort(reason)
      await expect(reading).rejects.toBe(reason)
    })

    test('ends with what its handler threw, and hands it nothing more', async () => {
      const topic = await bench().topic({ partitions: 2 })
      await bench().producer.send(numbered(topic, 0, 100, 2))
      const failure = new Error('full')
      let calls = 0
      const reading = read(topic, await bench().admin.offsetRanges(topic), () => {
        calls++
        throw failure
      })
      await expect(reading).rejects.toBe(failure)
      expect(calls).toBe(1)
    })

    test('says that there is no such topic', async () => {
      const missing = uniqueName('missing')
      await expect(read(missing, new Map([[0, { from: 0n, to: 1n }]]))).rejects.toThrow(missing)
    })
  })

  describe('places in a topic', () => {
    test('knows what a topic is configured with', async () => {
      const topic = await bench().topic({ config: { 'max.message.bytes': '2100000' } })
      const config = await bench().admin.topicConfig(topic)
      expect(config.get('max.message.bytes')).toBe('2100000')
      expect(config.get('cleanup.policy')).toBe('delete')
      const missing = uniqueName('missing')
      await expect(bench().admin.topicConfig(missing)).rejects.toThrow(missing)
    })

    test('ends where a reader of committed records ends', async () => {
      const topic = await bench().topic()
      await bench().producer.send(numbered(topic, 0, 3, 1))
      const raw = await createRawTransactions(uniqueName('open'))
      const open = await raw.begin()
      try {
        await open.send(topic, 0, 'pending')
        await bench().producer.send(numbered(topic, 3, 4, 1))
        expect((await bench().admin.offsetRanges(topic)).get(0)).toEqual({ from: 0n, to: 3n })
        // What waits behind an open transaction waits all the same.
        expect((await bench().admin.offsetRanges(topic, 'end')).get(0)).toEqual({ from: 0n, to: 5n })
        expect((await bench().admin.consumerLag(uniqueName('group'), topic)).get(0)).toBe(5n)
      } finally {
        await open.abort()
        await raw.close()
      }
      // With the marker.
      await eventually(async () => expect((await bench().admin.offsetRanges(topic)).get(0)?.to).toBe(6n))
    })

    test('finds the first record from a time on', async () => {
      const topic = await bench().topic({ partitions: 2 })
      await bench().producer.send(numbered(topic, 0, 6, 2))
      const sent = Date.now()
      await eventually(() => expect(Date.now()).toBeGreaterThan(sent + 1))
      const between = Date.now()
      await bench().producer.send(numbered(topic, 0, 1, 2))
      const at = (timestampMs: number) => bench().admin.offsetsAt(topic, timestampMs)
      expect(await at(0)).toEqual(
        new Map([
          [0, 0n],
          [1, 0n],
        ]),
      )
      expect(await at(between)).toEqual(
        new Map([
          [0, 3n],
          [1, 3n],
        ]),
      )
      expect(await at(between + 3_600_000)).toEqual(
        new Map([
          [0, 4n],
          [1, 3n],
        ]),
      )
    })
  })
}
