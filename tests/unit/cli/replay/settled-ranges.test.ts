import { expect, test } from 'vitest'
import { settledRanges } from '../../../../src/cli/replay/settled-ranges.ts'
import type { LogEnd, OffsetRange } from '../../../../src/kafka/kafka-types.ts'

/** A topic of two partitions, whose stable ends are told one after another. */
const adminOf = (end: readonly bigint[], stable: (readonly bigint[])[]) => {
  const rangesOf = (ends: readonly bigint[]) =>
    new Map<number, OffsetRange>(ends.map((to, partition) => [partition, { from: 0n, to }]))
  return {
    offsetRanges: async (_topic: string, to: LogEnd = 'stable-end') =>
      rangesOf(to === 'end' ? end : stable.length > 1 ? stable.shift()! : stable[0]!),
  }
}

test('waits until what was committed before the call has its markers in every partition', async () => {
  let waits = 0
  const wait = async (): Promise<void> => {
    waits += 1
  }
  const admin = adminOf(
    [101n, 51n],
    [
      [0n, 0n],
      [101n, 0n],
      [105n, 51n],
    ],
  )
  const ranges = await settledRanges(admin, 'topic', { wait })
  expect([...ranges]).toEqual([
    [0, { from: 0n, to: 105n }],
    [1, { from: 0n, to: 51n }],
  ])
  expect(waits).toBe(2)
})

test('gives up on a transaction that stays open, and leaves it out', async () => {
  const ranges = await settledRanges(adminOf([101n, 51n], [[101n, 20n]]), 'topic', { timeoutMs: 20 })
  expect(ranges.get(1)).toEqual({ from: 0n, to: 20n })
})
