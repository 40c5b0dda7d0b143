import { describe, expect, test } from 'vitest'
import type { RawRecord } from '../../src/kafka/kafka-types.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, text, uniqueName } from '../support/kafka.ts'
import { createRawTransactions, type RawTransactions } from '../support/raw-transactions.ts'
import { copyTo, type KafkaContract, keysOf } from './kafka-contract.ts'

type Producers = { readonly one: RawTransactions; readonly two: RawTransactions }

/** Stands there twice, as key and as value. */
const LARGE = 'x'.repeat(100_000)

/** The ways in which aborted records were seen to reach readers of committed ones. */
const shapes: readonly (readonly [
  string,
  (topic: string, partition: number, producers: Producers) => Promise<void>,
])[] = [
  [
    'one producer that aborts again and again',
    async (topic, partition, { one }) => {
      for (let i = 0; i < 6; i++) {
        const transaction = await one.begin()
        for (let j = 0; j < 3; j++) await transaction.send(topic, partition, `${i}-${j}`)
        await (i % 3 === 2 ? transaction.commit() : transaction.abort())
      }
    },
  ],
  [
    'transactions longer than a reply to a fetch',
    async (topic, partition, { one }) => {
      for (const end of ['abort', 'commit', 'abort'] as const) {
        const transaction = await one.begin()
        for (let i = 0; i < 8; i++) await transaction.send(topic, partition, `${end}-${i}-${LARGE}`)
        await transaction[end]()
      }
      const last = await one.begin()
      await last.send(topic, partition, 'last')
      await last.commit()
    },
  ],
  [
    'two producers whose transactions lie within each other',
    async (topic, partition, { one, two }) => {
      for (const [outer, inner] of [
        ['commit', 'abort'],
        ['abort', 'commit'],
        ['abort', 'abort'],
        ['commit', 'commit'],
      ] as const) {
        const outside = await one.begin()
        await outside.send(topic, partition, `${outer}-1`)
        const inside = await two.begin()
        await inside.send(topic, partition, `in-${outer}-${inner}`)
        await outside.send(topic, partition, `${outer}-2`)
        await inside[inner]()
        await outside.send(topic, partition, `${outer}-3`)
        await outside[outer]()
      }
    },
  ],
]

type Keyed = { readonly partition: number; readonly key: string | null }

/** The keys of each partition, in the order of the records. */
const byPartition = (records: readonly Keyed[]): Map<number, (string | null)[]> => {
  const found = Map.groupBy(records, ({ partition }) => partition)
  return new Map(Array.from(found, ([partition, own]) => [partition, keysOf(own)] as const).sort(([a], [b]) => a - b))
}

export const describeKafkaAborted = ({ bench, caughtUp, run }: KafkaContract): void => {
  describe('aborted records', () => {
    test(`reach no handler: ${shapes.map(([name]) => name).join('; ')}`, async () => {
      const partitions = shapes.length
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const [exactly, atLeast] = [uniqueName('group'), uniqueName('group')]
      const [one, two] = await Promise.all([
        createRawTransactions(uniqueName('a')),
        createRawTransactions(uniqueName('b')),
      ])
      try {
        for (const [partition, [, write]] of shapes.entries()) await write(topic, partition, { one, two })
      } finally {
        await Promise.all([one.close(), two.close()])
      }
      const committed = byPartition(await committedRecords(topic))
      expect(committed.size).toBe(partitions)

      await run(bench().client, { group: exactly, topic, process: copyTo(output), batchMaxRecords: 4 })
      const seen: RawRecord[] = []
      bench().track(
        await bench().client.runAtLeastOnce({
          group: atLeast,
          topics: [topic],
          sessionTimeoutMs: 6000,
          process: async (records) => {
            seen.push(...records)
            return true
          },
        }),
      )
      await caughtUp(exactly, topic)
      const count = [...committed.values()].reduce((sum, keys) => sum + keys.length, 0)
      await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(count))
      expect(byPartition(seen.map(({ partition, key }) => ({ partition, key: text(key) })))).toEqual(committed)
      expect(byPartition(await committedRecords(output))).toEqual(committed)
    })

    test('at the end of a topic are counted as done', async () => {
      const topic = await bench().topic()
      const group = uniqueName('group')
      await bench().producer.send([{ topic, partition: 0, key: null, value: Buffer.from('x') }])
      const handed: number[] = []
      await run(bench().client, { group, topic, process: (batch) => void handed.push(batch.length) })
      await caughtUp(group, topic)
      const producer = await createRawTransactions(uniqueName('a'))
      try {
        const aborted = await producer.begin()
        await aborted.send(topic, 0, 'aborted')
        await aborted.abort()
      } finally {
        await producer.close()
      }
      // The offset passes them, or a lag would stand there until the next record.
      await caughtUp(group, topic)
      expect(handed).toEqual([1])
    })
  })
}
