import { describe, expect, test } from 'vitest'
import type { ConsumerObserver } from '../../src/kafka/kafka-types.ts'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, numbered } from './kafka-contract.ts'

type Told = { [Name in keyof ConsumerObserver]-?: Parameters<NonNullable<ConsumerObserver[Name]>>[0][] }

const listen = (): { told: Told; observer: ConsumerObserver } => {
  const told: Told = { fetched: [], committed: [], aborted: [], rebalanced: [] }
  return {
    told,
    observer: {
      fetched: (fetch) => told.fetched.push(fetch),
      committed: (batch) => told.committed.push(batch),
      aborted: (batch) => told.aborted.push(batch),
      rebalanced: (assignment) => told.rebalanced.push(assignment),
    },
  }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)

export const describeKafkaObserver = ({ bench, create, caughtUp, run }: KafkaContract): void => {
  describe('observer', () => {
    test('hears of what was fetched, committed and aborted, and of the group', async () => {
      const partitions = 2
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 250, partitions))
      const { told, observer } = listen()
      let failed = false
      const client = create({
        onStep: (step) => {
          if (step !== 'sent' || failed) return
          failed = true
          throw Object.assign(new Error('lost'), { code: 'LOST' })
        },
      })
      await run(client, {
        group,
        topic,
        observer,
        process: (batch, sink) => {
          copyTo(output)(batch, sink)
          copyTo(output)(batch, sink)
        },
      })
      await caughtUp(group, topic)
      await eventually(() => expect(sumOf(told.committed.map(({ records }) => records))).toBe(250))
      expect(sumOf(told.committed.map(({ outputs }) => outputs))).toBe(500)
      for (const partition of [0, 1]) {
        const own = told.committed.filter((batch) => batch.partition === partition)
        expect(own.every((batch) => batch.topic === topic)).toBe(true)
        expect(own.at(-1)?.nextOffset).toBe(125n)
      }
      for (const { processMs, commitMs } of told.committed) {
        expect(processMs).toBeGreaterThanOrEqual(0)
        expect(commitMs).toBeGreaterThan(0)
      }
      expect(told.aborted).toEqual([{ topic, partition: expect.any(Number), code: expect.any(String) }])
      expect(sumOf(told.fetched.map(({ records }) => records))).toBeGreaterThanOrEqual(250)
      expect(sumOf(told.fetched.map(({ bytes }) => bytes))).toBeGreaterThan(250 * 4)
      expect(told.fetched.every(({ ms }) => ms >= 0)).toBe(true)
      expect(told.rebalanced).toEqual([{ partitions, revoked: 0 }])

      // Another member takes half of them.
      await run(create(), { group, topic, process: copyTo(output) })
      await eventually(() => expect(told.rebalanced.at(-1)).toMatchObject({ partitions: 1 }))
      expect(sumOf(told.rebalanced.map(({ revoked }) => revoked))).toBeGreaterThanOrEqual(1)
    })

    test('hears of a reader that runs at least once', async () => {
      const topic = await bench().topic()
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 30, 1))
      const { told, observer } = listen()
      let failed = false
      bench().track(
        await bench().client.runAtLeastOnce({
          group,
          topics: [topic],
          sessionTimeoutMs: 6000,
          observer,
          process: async () => {
            if (failed) return true
            failed = true
            throw new Error('not yet')
          },
        }),
      )
      await caughtUp(group, topic)
      await eventually(() => expect(sumOf(told.committed.map(({ records }) => records))).toBe(30))
      expect(told.committed.every(({ outputs }) => outputs === 0)).toBe(true)
      expect(told.aborted).toHaveLength(1)
      expect(told.rebalanced).toEqual([{ partitions: 1, revoked: 0 }])
    })
  })
}
