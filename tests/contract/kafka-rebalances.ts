import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, keysOf, keysUpTo, numbered, onCommitted } from './kafka-contract.ts'

export const describeKafkaRebalances = ({ bench, create, traits, caughtUp, run }: KafkaContract): void => {
  describe('members that come and go', () => {
    test('a rebalance before anything was committed skips nothing', async () => {
      const partitions = 4
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 2000, partitions))
      const entered = new Set<number>()
      const gate = Promise.withResolvers<void>()
      const copy = copyTo(output)
      await run(create(), {
        group,
        topic,
        process: async (batch, sink) => {
          entered.add(batch.partition)
          await gate.promise
          copy(batch, sink)
        },
      })
      await eventually(() => expect(entered.size).toBe(partitions))
      // The first member has read ahead, and holds batches of which none is done.
      const joining = run(create(), { group, topic, process: copy })
      await joining
      gate.resolve()
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(2000))
    })

    test('a stop finishes the transaction at hand, and others take over at once', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 300, 1))
      const entered = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      const session = { sessionTimeoutMs: 60_000, transactionTimeoutMs: 50_000 }
      const commits: bigint[] = []
      const first = await run(create(), {
        group,
        topic,
        ...session,
        process: async (batch, sink) => {
          entered.resolve()
          await gate.promise
          copyTo(output)(batch, sink)
        },
        ...onCommitted(({ nextOffset }) => commits.push(nextOffset)),
      })
      await entered.promise
      const stopped = first.stop()
      gate.resolve()
      await stopped
      await first.done
      expect(commits).toEqual([100n])
      const started = performance.now()
      const taken = Promise.withResolvers<void>()
      await run(create(), {
        group,
        topic,
        ...session,
        process: copyTo(output),
        ...onCommitted(() => taken.resolve()),
      })
      await taken.promise
      expect(performance.now() - started).toBeLessThan(20_000)
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output))).toEqual(Array.from({ length: 300 }, (_, i) => `k${i}`))
    })

    test('a member whose stop was given up writes nothing once another has taken over', async () => {
      const [topic, output] = [await bench().topic(), await bench().topic()]
      const group = uniqueName('group')
      await bench().producer.send(numbered(topic, 0, 50, 1))
      const entered = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      const left = Promise.withResolvers<void>()
      const hung = await run(create(), {
        group,
        topic,
        process: async (batch, sink) => {
          entered.resolve()
          await gate.promise
          copyTo(output)(batch, sink)
          left.resolve()
        },
      })
      await entered.promise
      await expect(hung.stop({ deadlineMs: 200 })).rejects.toMatchObject({ code: 'STOP_DEADLINE_PASSED' })
      await run(create(), { group, topic, process: copyTo(output) })
      await caughtUp(group, topic)
      gate.resolve()
      await left.promise
      // Sent after whatever the hung member had in mind: once it is through, so would the others be.
      await bench().producer.send(numbered(topic, 50, 60, 1))
      await caughtUp(group, topic)
      expect(keysOf(await committedRecords(output))).toEqual(Array.from({ length: 60 }, (_, i) => `k${i}`))
    })

    test.runIf(traits.keepsPartitions)('partitions that stay with a member go on without a stop', async () => {
      const partitions = 4
      const [topic, output] = [await bench().topic({ partitions }), await bench().topic({ partitions })]
      const group = uniqueName('group')
      const fences: number[] = []
      const worked = { first: new Set<number>(), second: new Set<number>() }
      const firstClient = create({ onStep: (step, partition) => void (step === 'fenced' && fences.push(partition)) })
      await run(firstClient, {
        group,
        topic,
        process: copyTo(output),
        ...onCommitted(({ partition }) => worked.first.add(partition)),
      })
      let sent = 0
      const feed = async (): Promise<void> => {
        await bench().producer.send(numbered(topic, sent, sent + 40, partitions))
        sent += 40
        await caughtUp(group, topic)
      }
      await feed()
      expect(fences.toSorted()).toEqual([0, 1, 2, 3])
      const second = await run(create(), {
        group,
        topic,
        process: copyTo(output),
        ...onCommitted(({ partition }) => worked.second.add(partition)),
      })
      await eventually(async () => {
        worked.first.clear()
        worked.second.clear()
        await feed()
        expect([worked.first.size, worked.second.size]).toEqual([2, 2])
      })
      const kept = [...worked.first].sort()
      // To be fenced anew is to begin anew: those that stayed were not.
      expect(fences.filter((partition) => kept.includes(partition)).toSorted()).toEqual(kept)
      await second.stop()
      await feed()
      expect(fences.filter((partition) => kept.includes(partition)).toSorted()).toEqual(kept)
      expect(keysOf(await committedRecords(output)).sort()).toEqual(keysUpTo(sent))
    })
  })
}
