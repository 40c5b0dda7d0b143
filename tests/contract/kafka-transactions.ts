import { describe, expect, test } from 'vitest'
import type { TransactionalProducer } from '../../src/kafka/kafka-types.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { createRawTransactions } from '../support/raw-transactions.ts'
import { type KafkaContract, keysOf, keysUpTo, numbered } from './kafka-contract.ts'

export const describeKafkaTransactions = ({ bench }: KafkaContract): void => {
  const open = (transactionalId: string): Promise<TransactionalProducer> =>
    bench().client.transactionalProducer({ transactionalId, transactionTimeoutMs: 10_000 })

  /** Opens an id, and closes it whatever happens. */
  const using = async (id: string, work: (producer: TransactionalProducer) => Promise<void>): Promise<void> => {
    const producer = await open(id)
    try {
      await work(producer)
    } finally {
      await producer.close()
    }
  }

  describe('transactions', () => {
    test('writes records to several partitions and topics, one transaction after another', async () => {
      const [first, second] = [await bench().topic({ partitions: 3 }), await bench().topic()]
      await using(uniqueName('id'), async (producer) => {
        for (let i = 0; i < 5; i++) {
          await producer.commit([...numbered(first, i * 10, i * 10 + 10, 3), ...numbered(second, i, i + 1, 1)])
        }
        await producer.commit([])
      })
      const committed = await committedRecords(first)
      expect(keysOf(committed).sort()).toEqual(keysUpTo(50))
      for (const partition of [0, 1, 2]) {
        const own = committed.filter((record) => record.partition === partition)
        const numbers = own.map((record) => Number(record.key?.slice(1)))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
      expect(keysOf(await committedRecords(second))).toEqual(['k0', 'k1', 'k2', 'k3', 'k4'])
    })

    test('writes more than one request holds', async () => {
      const topic = await bench().topic()
      const value = Buffer.alloc(10_000, 1)
      const records = numbered(topic, 0, 250, 1).map((record) => ({ ...record, value }))
      await using(uniqueName('id'), (producer) => producer.commit(records))
      expect(keysOf(await committedRecords(topic))).toEqual(records.map((_, i) => `k${i}`))
      expect((await bench().admin.offsetRanges(topic)).get(0)).toEqual({ from: 0n, to: 251n })
    })

    test('shows nothing of a transaction that failed, and works on', async () => {
      const topic = await bench().topic({ partitions: 2 })
      await using(uniqueName('id'), async (producer) => {
        await producer.commit(numbered(topic, 0, 2, 2))
        const tooLarge = { topic, partition: 1, key: null, value: Buffer.alloc(1_200_000) }
        const failing = producer.commit([...numbered(topic, 50, 60, 2), tooLarge])
        await expect(failing).rejects.toMatchObject({ code: 'SEND_FAILED', retryable: false })
        await producer.commit(numbered(topic, 2, 4, 2))
      })
      expect(keysOf(await committedRecords(topic)).sort()).toEqual(keysUpTo(4))
    })

    test('is fenced by whoever opens its id later', async () => {
      const topic = await bench().topic()
      const id = uniqueName('id')
      await using(id, async (older) => {
        await older.commit(numbered(topic, 0, 1, 1))
        await using(id, async (newer) => {
          await expect(older.commit(numbered(topic, 90, 91, 1))).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
          // For good; and it has not fenced the newer one in turn.
          await expect(older.commit(numbered(topic, 91, 92, 1))).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
          await newer.commit(numbered(topic, 1, 2, 1))
        })
      })
      expect(keysOf(await committedRecords(topic))).toEqual(['k0', 'k1'])
    })

    test('aborts what an owner before it left open', async () => {
      const topic = await bench().topic()
      const id = uniqueName('id')
      const before = await createRawTransactions(id)
      try {
        const left = await before.begin()
        await left.send(topic, 0, 'left')
        expect((await bench().admin.offsetRanges(topic)).get(0)?.to).toBe(0n)
        expect((await bench().admin.offsetRanges(topic, 'end')).get(0)?.to).toBe(1n)
        await using(id, async (producer) => {
          expect((await bench().admin.offsetRanges(topic)).get(0)?.to).toBe(2n)
          await producer.commit(numbered(topic, 0, 1, 1))
        })
        await expect(left.commit()).rejects.toThrow()
      } finally {
        await before.close()
      }
      expect(keysOf(await committedRecords(topic))).toEqual(['k0'])
    })

    test('says that a topic is not there, and works on', async () => {
      const topic = await bench().topic()
      const missing = uniqueName('missing')
      await using(uniqueName('id'), async (producer) => {
        const failing = producer.commit(numbered(missing, 0, 1, 1))
        await expect(failing).rejects.toMatchObject({ code: 'SEND_FAILED' })
        // No transaction had begun that could have been aborted.
        await producer.commit(numbered(topic, 0, 1, 1))
      })
      expect(keysOf(await committedRecords(topic))).toEqual(['k0'])
    })
  })
}
