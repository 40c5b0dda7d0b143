import { expect, test } from 'vitest'
import { countingIdentity } from '../../../../src/kafka/wire/counting-identity.ts'

const batch = (topic: string, partition: number, records: number) => ({
  ...{ topic, partition, records },
  baseSequence: 0,
  bytes: Buffer.alloc(0),
})

test('counts the records of each partition by itself', () => {
  const identity = countingIdentity({ producerId: 7n, producerEpoch: 1 }, true)
  expect(identity).toMatchObject({ producerId: 7n, producerEpoch: 1, transactional: true })
  identity.advance([batch('a', 0, 3), batch('a', 1, 1), batch('b', 0, 2)])
  identity.advance([batch('a', 0, 4)])
  expect(identity.baseSequenceOf('a', 0)).toBe(7)
  expect(identity.baseSequenceOf('a', 1)).toBe(1)
  expect(identity.baseSequenceOf('b', 0)).toBe(2)
  expect(identity.baseSequenceOf('b', 1)).toBe(0)
})

test('begins again after the largest number', () => {
  const identity = countingIdentity({ producerId: 7n, producerEpoch: 1 }, false)
  identity.advance([batch('a', 0, 2 ** 31 - 1)])
  identity.advance([batch('a', 0, 2)])
  expect(identity.baseSequenceOf('a', 0)).toBe(1)
})
