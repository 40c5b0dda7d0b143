import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assignPartitions,
  type GroupMemberClaim,
  type TopicPartitions,
} from '../../../../src/kafka/platformatic/group-assignment.ts'

const member = (
  id: string,
  owned: TopicPartitions[] = [],
  generation = owned.length > 0 ? 1 : -1,
): GroupMemberClaim => ({
  id,
  topics: ['events'],
  owned,
  generation,
})
const places = (share: readonly TopicPartitions[] | undefined): string[] =>
  (share ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`))
const events = (...partitions: number[]): TopicPartitions[] => [{ topic: 'events', partitions }]

describe('shares of partitions', () => {
  test('are even, whole and without overlap, whatever members say they have', () => {
    const claims = fc.array(
      fc.record({
        owned: fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 12 }),
        generation: fc.integer({ min: -1, max: 4 }),
      }),
      { minLength: 1, maxLength: 7 },
    )
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 12 }), (said, count) => {
        const members = said.map(({ owned, generation }, i) => member(`m${i}`, events(...owned), generation))
        const shares = assignPartitions(members, new Map([['events', count]]))
        const sizes = members.map(({ id }) => places(shares.get(id)).length)
        const given = members.flatMap(({ id }) => places(shares.get(id)))
        expect(given.toSorted()).toEqual(Array.from({ length: count }, (_, i) => `events-${i}`).toSorted())
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('leave alone what may stay', () => {
    const shares = assignPartitions(
      [member('a', events(0, 1, 2, 3)), member('b', events(4, 5, 6, 7)), member('c')],
      new Map([['events', 8]]),
    )
    for (const [id, before] of [
      ['a', [0, 1, 2, 3]],
      ['b', [4, 5, 6, 7]],
    ] as const) {
      const stayed = places(shares.get(id)).filter((place) => before.some((p) => place === `events-${p}`))
      expect(stayed.length).toBeGreaterThanOrEqual(2)
      expect(stayed).toEqual(places(shares.get(id)))
    }
    expect(places(shares.get('c'))).toHaveLength(2)
  })

  test('change nothing when everything is shared out already', () => {
    const before = [member('a', events(1, 3)), member('b', events(0, 2))]
    const shares = assignPartitions(before, new Map([['events', 4]]))
    expect(places(shares.get('a'))).toEqual(['events-1', 'events-3'])
    expect(places(shares.get('b'))).toEqual(['events-0', 'events-2'])
  })

  test('believe the later of two generations, and neither of two claims of one', () => {
    const late = assignPartitions(
      [member('a', events(0, 1), 4), member('b', events(0, 1), 5)],
      new Map([['events', 2]]),
    )
    expect(places(late.get('b'))).toHaveLength(1)
    const same = [member('b', events(0), 5), member('a', events(0), 5)]
    expect(assignPartitions(same, new Map([['events', 1]])).get('a')).toEqual(events(0))
  })

  test('do not depend on the order in which members are named', () => {
    const members = [member('b', events(0, 2)), member('a'), member('c', events(1))]
    const counts = new Map([['events', 6]])
    expect(assignPartitions(members.toReversed(), counts)).toEqual(assignPartitions(members, counts))
  })

  test('give a topic only to those who read it', () => {
    const shares = assignPartitions(
      [member('a'), { id: 'b', topics: ['events', 'labels'], owned: [], generation: -1 }],
      new Map([
        ['events', 2],
        ['labels', 3],
        ['nobody', 4],
      ]),
    )
    expect(places(shares.get('b'))).toEqual(expect.arrayContaining(['labels-0', 'labels-1', 'labels-2']))
    expect([...shares.values()].flatMap(places)).toHaveLength(5)
  })
})
