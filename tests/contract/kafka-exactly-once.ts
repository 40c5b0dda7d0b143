import { describe, expect, test } from 'vitest'
import type { RecordBatch, RecordSink } from '../../src/kafka/kafka-types.ts'
import { recordAt } from '../../src/kafka/record-batch.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, keysOf, keysUpTo, numbered, offsetsOf, onCommitted } from './kafka-contract.ts'

export const describeKafkaExactlyOnce = ({ bench, create, lagOf, caughtUp, run }: KafkaContract): void => {
  describe('exactly once', () => {
    test('reads from the beginning, writes each output once, and commits up to the end', async () => {
      const [topic, output] = [await bench().topic({ partitions: 3 }), await bench().topic({ partitions: 3 })]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 700, 3))
      const commits: number[] = []
      const consumer = await run(bench().client, {
        group,
        topic,
        process: copyTo(output),
        ...onCommitted(({ records }) => commits.push(records)),
      })
      await caughtUp(group, topic)
      await consumer.stop()
      await consumer.done
      const committed = await committedRecords(output)
      expect(keysOf(committed).sort()).toEqual(keysUpTo(700))
      expect(Math.max(...commits)).toBeLessThanOrEqual(100)
      expect(commits.reduce((sum, n) => sum + n)).toBe(700)
      // Every partition in its own order.
      for (const partition of [0, 1, 2]) {
        const own = committed
          .filter((record) => record.partition === partition)
          .sort((a, b) => Number(a.offset - b.offset))
        const numbers = own.map((record) => Number(record.key?.slice(1)))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
        expect(numbers.every((n) => n % 3 === partition)).toBe(true)
      }
    })

    test('goes on after a stop in the middle where it had committed', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 1000, 1))
      const half = Promise.withResolvers<void>()
      const first = await run(bench().client, {
        group,
        topic,
        process: copyTo(output),
        ...onCommitted(({ nextOffset }) => {
          if (nextOffset >= 300n) half.resolve()
        }),
      })
      await half.promise
      await first.stop()
      expect(await lagOf(group, topic)).toBeGreaterThan(0n)
      await run(bench().client, { group, topic, process: copyTo(output) })
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(1000))
    })

    test('meets the same records again when processing them failed', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 250, 1))
      const seen: (number | undefined)[] = []
      let failures = 0
      await run(bench().client, {
        group,
        topic,
        process: (batch, sink) => {
          seen.push(batch.offsets[0])
          copyTo(output)(batch, sink)
          if (offsetsOf(batch).includes(150) && failures++ < 3) throw new Error('not yet')
        },
      })
      await caughtUp(group, topic)
      expect(seen).toEqual([0, 100, 100, 100, 100, 200])
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(250))
    })

    test('writes more than a request takes in one transaction', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 50, 1))
      const value = Buffer.alloc(60_000, 7)
      await run(bench().client, {
        group,
        topic,
        process: (batch, sink) => {
          for (let i = 0; i < batch.length; i++) {
            sink.add({ topic: output, partition: 0, key: recordAt(batch, i).key, value })
          }
        },
      })
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(50))
    })

    test('commits the input of records without outputs', async () => {
      const topic = await bench().topic()
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 300, 1))
      await run(bench().client, { group, topic, process: () => {} })
      await caughtUp(group, topic)
    })

    test('reads committed input only, over the traces of transactions', async () => {
      const [source, topic, output] = [await bench().topic(), await bench().topic(), await bench().topic()]
      const [feeder, group] = [uniqueName('feeder'), uniqueName('group')]
      await bench().producer.send(numbered(source, 0, 60, 1))
      let failed = 0
      // Small transactions, some of them aborted: markers and aborted records lie between the records of `topic`.
      const failing = create({
        onStep: (step) => {
          if (step === 'sent' && failed++ % 4 === 1) throw new Error('give up this transaction')
        },
      })
      await run(failing, { group: feeder, topic: source, process: copyTo(topic), batchMaxRecords: 5 })
      await run(bench().client, { group, topic, process: copyTo(output), batchMaxRecords: 7 })
      await caughtUp(feeder, source)
      await caughtUp(group, topic)
      expect(failed).toBeGreaterThan(4)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(60))
    })

    test('two members share the work; one takes over from the other', async () => {
      const [topic, output] = [await bench().topic({ partitions: 4 }), await bench().topic({ partitions: 4 })]
      const group = uniqueName('group')
      const workedOn = { first: new Set<number>(), second: new Set<number>() }
      const member = async (name: 'first' | 'second') =>
        run(create(), {
          group,
          topic,
          process: copyTo(output),
          ...onCommitted(({ partition }) => workedOn[name].add(partition)),
        })
      const first = await member('first')
      await member('second')
      let sent = 0
      const feed = async (): Promise<void> => {
        await bench().producer.send(numbered(topic, sent, sent + 40, 4))
        sent += 40
      }
      await eventually(
        async () => {
          workedOn.first.clear()
          workedOn.second.clear()
          await feed()
          await caughtUp(group, topic)
          expect([workedOn.first.size, workedOn.second.size]).toEqual([2, 2])
        },
        { timeoutMs: 40_000 },
      )
      await first.stop()
      workedOn.second.clear()
      await feed()
      await caughtUp(group, topic)
      expect(workedOn.second.size).toBe(4)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(sent))
    })

    test('members that come and go in the middle of the work change nothing', async () => {
      const [topic, output] = [await bench().topic({ partitions: 4 }), await bench().topic({ partitions: 4 })]
      const group = uniqueName('group')
      let sent = 0
      const feed = async (): Promise<void> => {
        await bench().producer.send(numbered(topic, sent, sent + 2000, 4))
        sent += 2000
      }
      await feed()
      const copy = copyTo(output)
      const slowly = async (batch: RecordBatch, sink: RecordSink): Promise<void> => {
        // So that every rebalance finds batches that are at hand and not done.
        await new Promise((resolve) => setTimeout(resolve, 20))
        copy(batch, sink)
      }
      await run(create(), { group, topic, process: slowly, batchMaxRecords: 50 })
      for (let i = 0; i < 5; i++) {
        const worked = Promise.withResolvers<void>()
        const guest = await run(create(), {
          group,
          topic,
          process: slowly,
          batchMaxRecords: 50,
          ...onCommitted(() => worked.resolve()),
        })
        await feed()
        await worked.promise
        await guest.stop()
      }
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(sent))
    })
  })
}
