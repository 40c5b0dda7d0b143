import { describe, expect, test } from 'vitest'
import type { OffsetRange } from '../../src/kafka/kafka-types.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { createRawTransactions } from '../support/raw-transactions.ts'
import { copyTo, type KafkaContract, keysOf, numbered, offsetsOf } from './kafka-contract.ts'

export const describeKafkaBounds = ({ bench, create, run }: KafkaContract): void => {
  describe('bounds', () => {
    const keysWhere = (count: number, wanted: (i: number) => boolean): string[] =>
      Array.from({ length: count }, (_, i) => i)
        .filter(wanted)
        .map((i) => `k${i}`)
        .sort()

    test('a bounded job starts and ends where it was told, and reads no other partition', async () => {
      const [topic, output] = [await bench().topic({ partitions: 3 }), await bench().topic({ partitions: 3 })]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 900, 3))
      const bounds: ReadonlyMap<number, OffsetRange> = new Map([
        [0, { from: 10n, to: 210n }],
        [2, { from: 0n, to: 33n }],
      ])
      const consumer = await run(bench().client, { group, topic, bounds, process: copyTo(output) })
      await consumer.done
      const lag = await bench().admin.consumerLag(group, topic)
      expect(lag).toEqual(
        new Map([
          [0, 90n],
          [1, 300n],
          [2, 267n],
        ]),
      )
      const expected = keysWhere(900, (i) => {
        const offset = Math.floor(i / 3)
        return (i % 3 === 0 && offset >= 10 && offset < 210) || (i % 3 === 2 && offset < 33)
      })
      expect(keysOf(await committedRecords(output)).sort()).toEqual(expected)

      // Started again, it finds that all is done.
      const again = await run(create(), {
        group,
        topic,
        bounds,
        process: () => {
          throw new Error('there is nothing left')
        },
      })
      await again.done
    })

    test('a bounded job that was stopped goes on where it had committed', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 500, 1))
      const bounds = new Map([[0, { from: 100n, to: 400n }]])
      const half = Promise.withResolvers<void>()
      const first = await run(bench().client, {
        group,
        topic,
        bounds,
        batchMaxRecords: 20,
        process: copyTo(output),
        observer: { committed: ({ nextOffset }) => nextOffset >= 200n && half.resolve() },
      })
      await half.promise
      await first.stop()
      const offsets: number[] = []
      const second = await run(create(), {
        group,
        topic,
        bounds,
        process: (batch, sink) => {
          offsets.push(...offsetsOf(batch))
          copyTo(output)(batch, sink)
        },
      })
      await second.done
      expect(offsets[0]).toBeGreaterThanOrEqual(200)
      expect(keysOf(await committedRecords(output))).toEqual(Array.from({ length: 300 }, (_, i) => `k${i + 100}`))
    })

    test('an end at which no record is left is reached, and an empty range is done', async () => {
      const [topic, output] = [await bench().topic({ partitions: 2 }), await bench().topic({ partitions: 2 })]
      const producer = await createRawTransactions(uniqueName('a'))
      try {
        for (const end of ['commit', 'abort'] as const) {
          const transaction = await producer.begin()
          for (let i = 0; i < 5; i++) await transaction.send(topic, 0, `${end}-${i}`)
          await transaction[end]()
        }
      } finally {
        await producer.close()
      }
      const bounds = new Map([
        [0, { from: 0n, to: 12n }],
        [1, { from: 0n, to: 0n }],
      ])
      // The marker of a transaction is written a moment after its end was confirmed.
      await eventually(async () => expect(await bench().admin.offsetRanges(topic)).toEqual(bounds))
      const group = uniqueName('group')
      const consumer = await run(bench().client, { group, topic, bounds, process: copyTo(output) })
      await consumer.done
      expect(keysOf(await committedRecords(output))).toEqual(Array.from({ length: 5 }, (_, i) => `commit-${i}`))
      expect(await bench().admin.consumerLag(group, topic)).toEqual(
        new Map([
          [0, 0n],
          [1, 0n],
        ]),
      )
    })

    test('members of a group that share a bounded job all end with it', async () => {
      const partitions = 4
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      const count = 1200
      await bench().producer.send(numbered(topic, 0, count, partitions))
      const bounds = await bench().admin.offsetRanges(topic)
      const copy = copyTo(output)
      const member = () =>
        run(create(), {
          group,
          topic,
          bounds,
          batchMaxRecords: 25,
          process: async (batch, sink) => {
            await new Promise((resolve) => setTimeout(resolve, 20))
            copy(batch, sink)
          },
        })
      const members = await Promise.all([member(), member()])
      await Promise.all(members.map(({ done }) => done))
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysWhere(count, () => true))
    })
  })
}
