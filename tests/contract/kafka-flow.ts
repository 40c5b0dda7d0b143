import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { MAX_RECORD_BYTES, wireBytes } from '../../src/kafka/record-size.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, readRecords, uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, keysOf, keysUpTo, numbered, onCommitted } from './kafka-contract.ts'

/** How much may wait in memory for a handler that does not take it; the topic holds more than twice that. */
const HELD_MAX_BYTES = 16 << 20

export const describeKafkaFlow = ({ bench, create, lagOf, caughtUp, run }: KafkaContract): void => {
  describe('flow', () => {
    test('2 MB of small records go out in one transaction, in their order', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 20, 1))
      const transactions: number[] = []
      await run(bench().client, {
        group,
        topic,
        process: (batch, sink) => {
          const scratch = Buffer.alloc(200, 'v')
          const lane = sink.lane(output, batch.partition, 'source')
          for (let i = 0; i < batch.length; i++) {
            for (let j = 0; j < 500; j++) {
              const key = Buffer.from(`k${batch.offsets[i]! * 500 + j}`)
              lane.append(key, 0, key.length, scratch, 0, 190, 200)
            }
          }
        },
        ...onCommitted(({ outputs }) => transactions.push(outputs)),
      })
      await caughtUp(group, topic)
      expect(transactions.reduce((sum, outputs) => sum + outputs, 0)).toBe(10_000)
      expect(Math.max(...transactions) * 200).toBeGreaterThan(1_000_000)
      const committed = await committedRecords(output)
      expect(keysOf(committed)).toEqual(Array.from({ length: 10_000 }, (_, i) => `k${i}`))
    })

    test('bytes of a lane come out as they went in: key, value and header', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 3, 1))
      await run(bench().client, {
        group,
        topic,
        process: (batch, sink) => {
          const lane = sink.lane(output, 0, 'ä header')
          const scratch = Buffer.from('..valueheader..')
          for (let i = 0; i < batch.length; i++) {
            const start = i === 1 ? -1 : batch.keyStarts[i]!
            lane.append(batch.bytes, start, batch.keyEnds[i]!, scratch, 2, 7, i === 2 ? 7 : 13)
          }
          // They are copied at once.
          scratch.fill(0)
        },
      })
      await caughtUp(group, topic)
      const records = await readRecords(bench(), output, (read) => read.length === 3)
      expect(records.map(({ key, value, headers }) => [key, value, { ...headers }])).toEqual([
        [Buffer.from('k0'), Buffer.from('value'), { 'ä header': Buffer.from('header') }],
        [null, Buffer.from('value'), { 'ä header': Buffer.from('header') }],
        [Buffer.from('k2'), Buffer.from('value'), { 'ä header': Buffer.alloc(0) }],
      ])
    })

    test('a record at the limit goes through', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      const empty = { topic, partition: 0, key: Buffer.from('k0'), value: Buffer.alloc(0) }
      const record = { ...empty, value: Buffer.alloc(MAX_RECORD_BYTES - wireBytes(empty), 1) }
      await bench().producer.send([record, ...numbered(topic, 1, 4, 1)])
      await run(bench().client, { group, topic, process: copyTo(output) })
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output))).toEqual(['k0', 'k1', 'k2', 'k3'])
    })

    test('holds little of what a handler has not taken yet', async () => {
      const partitions = 2
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      const value = Buffer.alloc(200_000, 7)
      const count = 200
      for (let sent = 0; sent < count; sent += 50) {
        await bench().producer.send(
          numbered(topic, sent, sent + 50, partitions).map((record) => ({ ...record, value })),
        )
      }
      let fetched = 0
      let entered = 0
      const gate = Promise.withResolvers<void>()
      await run(bench().client, {
        group,
        topic,
        sessionTimeoutMs: 30_000,
        process: async (batch, sink) => {
          entered++
          await gate.promise
          copyTo(output)(batch, sink)
        },
        observer: {
          fetched: ({ bytes }) => {
            fetched += bytes
          },
        },
      })
      await eventually(() => expect(entered).toBe(partitions))
      // Until it asks for no more: it has what it will hold.
      let before = -1
      await eventually(
        () => {
          const settled = fetched === before
          before = fetched
          expect(settled).toBe(true)
        },
        { everyMs: 1000 },
      )
      expect(fetched).toBeGreaterThan(0)
      expect(fetched).toBeLessThan(HELD_MAX_BYTES)
      gate.resolve()
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(count))
    })

    test('a partition that has to wait holds up no other, and goes on', async () => {
      const partitions = 2
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 400, partitions))
      let ready = false
      await run(bench().client, {
        group,
        topic,
        batchMaxRecords: 20,
        process: (batch, sink) => {
          if (batch.partition === 0 && !ready) throw new AppError('NOT_READY', 'not yet', { retryable: true })
          copyTo(output)(batch, sink)
        },
      })
      await eventually(async () => expect(await lagOf(group, topic)).toBe(200n))
      await bench().producer.send(numbered(topic, 400, 440, partitions))
      await eventually(async () => expect(await lagOf(group, topic)).toBe(220n))
      ready = true
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(440))
    })

    test('a handler that is slower than the session and the transaction gets less at a time', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 120, 1))
      const sizes: number[] = []
      await run(bench().client, {
        group,
        topic,
        sessionTimeoutMs: 2000,
        transactionTimeoutMs: 1500,
        process: async (batch, sink) => {
          await new Promise((resolve) => setTimeout(resolve, 30 * batch.length))
          copyTo(output)(batch, sink)
        },
        ...onCommitted(({ records }) => sizes.push(records)),
      })
      await caughtUp(group, topic)
      expect(Math.min(...sizes)).toBeLessThan(50)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(120))
    })

    test('transactions grow and shrink with what they take', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 600, 1))
      const slowSizes: number[] = []
      const fastSizes: number[] = []
      let slow = true
      await run(create(), {
        group,
        topic,
        batchMaxRecords: 64,
        batchGoalMs: 100,
        process: async (batch, sink) => {
          if (slow) await new Promise((resolve) => setTimeout(resolve, 10 * batch.length))
          copyTo(output)(batch, sink)
        },
        ...onCommitted(({ records, nextOffset }) => {
          ;(slow ? slowSizes : fastSizes).push(records)
          if (nextOffset >= 300n) slow = false
        }),
      })
      await caughtUp(group, topic)
      // 10 ms a record: 64 of them would take more than six times the goal.
      expect(slowSizes.at(-1)).toBeLessThanOrEqual(16)
      expect(Math.max(...fastSizes)).toBeGreaterThan(Math.min(...slowSizes))
    })
  })
}
