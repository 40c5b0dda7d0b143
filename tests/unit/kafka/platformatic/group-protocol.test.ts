import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import {
  claimOf,
  decodeShare,
  encodeShare,
  subscriptionsOf,
} from '../../../../src/kafka/platformatic/group-protocol.ts'

type Foreign = {
  MemberMetadata: { decode: (bytes: Buffer) => { topics: string[] }; encode: (metadata: object) => Buffer }
  MemberAssignment: {
    decode: (bytes: Buffer) => { assignment: Record<string, number[]> }
    encode: (share: object) => Buffer
  }
}
const kafkajs = createRequire(import.meta.url)('kafkajs/src/consumer/assignerProtocol') as Foreign

const claim = { topics: ['b', 'a'], owned: [{ topic: 'a', partitions: [2, 0] }], generation: 7 }

test('a member is understood by its own kind', () => {
  const [sticky] = subscriptionsOf(claim)
  const understood = claimOf('me', sticky?.metadata)
  expect(understood).toEqual({
    id: 'me',
    topics: ['a', 'b'],
    owned: [{ topic: 'a', partitions: [0, 2] }],
    generation: 7,
  })
})

test('and by workers of the other client, in the way of sharing that they know', () => {
  const forOthers = subscriptionsOf(claim).find(({ name }) => name === 'RoundRobinAssigner')
  expect(kafkajs.MemberMetadata.decode(forOthers?.metadata ?? Buffer.alloc(0)).topics.toSorted()).toEqual(['a', 'b'])
  const theirs = kafkajs.MemberMetadata.encode({ version: 0, topics: ['a'], userData: Buffer.alloc(0) })
  expect(claimOf('they', theirs)).toEqual({ id: 'they', topics: ['a'], owned: [], generation: -1 })
})

test('shares are understood on both sides', () => {
  const share = [{ topic: 'a', partitions: [0, 3] }]
  expect(decodeShare(encodeShare(share))).toEqual(share)
  expect(kafkajs.MemberAssignment.decode(encodeShare(share)).assignment).toEqual({ a: [0, 3] })
  const theirs = kafkajs.MemberAssignment.encode({ version: 0, assignment: { a: [0, 3] }, userData: Buffer.alloc(0) })
  expect(decodeShare(theirs)).toEqual(share)
})

test('an empty share, as brokers give it to who was left out, is no share', () => {
  expect(decodeShare(Buffer.alloc(0))).toEqual([])
})
