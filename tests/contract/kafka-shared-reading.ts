import { describe, expect, test } from 'vitest'
import type { AtLeastOnceOptions } from '../../src/kafka/kafka-types.ts'
import { eventually } from '../support/eventually.ts'
import { text, uniqueName } from '../support/kafka.ts'
import { createRawGroupLeader } from '../support/raw-group-leader.ts'
import { type KafkaContract, keysUpTo, numbered } from './kafka-contract.ts'

export const describeKafkaSharedReading = ({ traits, bench, create, lagOf, caughtUp }: KafkaContract): void => {
  describe('at least once, by several members', () => {
    const read = async (options: Pick<AtLeastOnceOptions, 'group' | 'process' | 'observer'> & { topic: string }) => {
      const { topic, ...rest } = options
      return bench().track(await create().runAtLeastOnce({ topics: [topic], sessionTimeoutMs: 6000, ...rest }))
    }

    test('members that come and go skip nothing, and what is committed never goes back', async () => {
      const partitions = 4
      const topic = await bench().topic({ partitions })
      const group = uniqueName('group')
      const seen = new Set<string | null>()
      const member = () =>
        read({
          group,
          topic,
          process: async (records) => {
            // What is at hand when the group is joined anew is not done at once.
            await new Promise((resolve) => setTimeout(resolve, 20))
            for (const { key } of records) seen.add(text(key))
            return true
          },
        })

      let sent = 0
      let reached = Array<bigint>(partitions).fill(0n)
      const send = async (): Promise<void> => {
        await bench().producer.send(numbered(topic, sent, sent + 200, partitions))
        sent += 200
      }
      /** Looks at what is committed until it is all that was sent. */
      const followToEnd = async (): Promise<void> => {
        const end = BigInt(sent / partitions)
        let wentBack: string | undefined
        await eventually(
          async () => {
            const lag = await bench().admin.consumerLag(group, topic)
            const committed = reached.map((_, partition) => end - (lag.get(partition) ?? end))
            if (committed.some((offset, partition) => offset < reached[partition]!)) {
              wentBack ??= `from ${reached} to ${committed}`
            }
            reached = committed
            expect(committed).toEqual(Array(partitions).fill(end))
          },
          { timeoutMs: 40_000 },
        )
        expect(wentBack).toBeUndefined()
      }

      await send()
      const first = await member()
      await followToEnd()
      await send()
      const joining = member()
      await send()
      await followToEnd()
      const second = await joining
      await send()
      const leaving = first.stop()
      await send()
      await followToEnd()
      await leaving
      await send()
      const changing = [member(), second.stop()]
      await send()
      await followToEnd()
      await Promise.all(changing)
      expect([...seen].sort()).toEqual(keysUpTo(sent))
    })

    test('a member that is done after its partition went on elsewhere commits nothing there', async () => {
      const partitions = 2
      const topic = await bench().topic({ partitions })
      const group = uniqueName('group')
      const gate = Promise.withResolvers<void>()
      const held = new Set<number>()
      const taken = new Set<number>()
      await bench().producer.send(numbered(topic, 0, 20, partitions))
      const late = await read({
        group,
        topic,
        process: async (records) => {
          held.add(records[0]!.partition)
          await gate.promise
          return true
        },
      })
      await eventually(() => expect(held.size).toBe(partitions))
      const joining = read({
        group,
        topic,
        process: async (records) => {
          taken.add(records[0]!.partition)
          return true
        },
      })
      await eventually(() => expect(taken.size).toBeGreaterThan(0), { timeoutMs: 45_000 })
      await joining
      const moved = [...taken]
      const behind = async (): Promise<(bigint | undefined)[]> => {
        const lag = await bench().admin.consumerLag(group, topic)
        return moved.map((partition) => lag.get(partition))
      }
      const none = moved.map(() => 0n)
      await bench().producer.send(numbered(topic, 20, 40, partitions))
      await eventually(async () => expect(await behind()).toEqual(none))
      gate.resolve()
      // Once it has stopped nothing that it had at hand is left.
      await late.stop()
      expect(await behind()).toEqual(none)
      await caughtUp(group, topic)
    })

    test.runIf(traits.keepsPartitions)(
      'what was handled while the group was joined anew is committed after it',
      async () => {
        const topic = await bench().topic()
        const group = uniqueName('group')
        const leader = await createRawGroupLeader(group, topic)
        try {
          const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
          const aborted: string[] = []
          const handled: (string | null)[] = []
          await bench().producer.send(numbered(topic, 0, 10, 1))
          await read({
            group,
            topic,
            process: async (records) => {
              entered.resolve()
              await gate.promise
              handled.push(...records.map(({ key }) => text(key)))
              return true
            },
            observer: { aborted: ({ code }) => aborted.push(code) },
          })
          await entered.promise
          const held = leader.holdAt(2)
          const joining = read({ group, topic, process: async () => true })
          await held
          gate.resolve()
          // Members wait for their shares, and no offset is taken: the commit comes to nothing several times.
          for (let looks = 0; looks < 5; looks++) expect(await lagOf(group, topic)).toBe(10n)
          leader.goOn()
          await joining
          await caughtUp(group, topic)
          expect(aborted).toEqual([])
          expect(handled).toEqual(Array.from({ length: 10 }, (_, i) => `k${i}`))
        } finally {
          await leader.close()
        }
      },
    )
  })
}
