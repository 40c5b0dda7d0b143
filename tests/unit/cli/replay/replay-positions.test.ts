import { expect, test } from 'vitest'
import { positionsIn } from '../../../../src/cli/replay/replay-positions.ts'
import type { KafkaAdmin, OffsetRange } from '../../../../src/kafka/kafka-types.ts'

/** A partition that holds offsets 0 to 30; a transaction is open from 20 on. */
const HELD = { 'stable-end': 20n, end: 30n }

const positionAt = async (committed: bigint, range: OffsetRange): Promise<bigint | undefined> => {
  const admin: Pick<KafkaAdmin, 'consumerLag' | 'offsetRanges'> = {
    consumerLag: async () => new Map([[0, HELD.end - committed]]),
    offsetRanges: async (_topic, to = 'stable-end') => new Map([[0, { from: 0n, to: HELD[to] }]]),
  }
  return (await positionsIn(admin, 'group', 'topic', new Map([[0, range]]))).get(0)
}

test('a group stands where it has committed, whether or not a transaction is open behind it', async () => {
  expect(await positionAt(12n, { from: 5n, to: 20n })).toBe(12n)
})

test('a group never stands outside of what it is to read', async () => {
  expect(await positionAt(2n, { from: 5n, to: 20n })).toBe(5n)
  expect(await positionAt(25n, { from: 5n, to: 20n })).toBe(20n)
})
