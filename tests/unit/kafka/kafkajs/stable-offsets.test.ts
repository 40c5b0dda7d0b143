import { expect, test } from 'vitest'
import type { InternalBroker } from '../../../../src/kafka/kafkajs/internals.ts'
import { createStableOffsets } from '../../../../src/kafka/kafkajs/stable-offsets.ts'
import { kafkaWithClusters } from '../../../support/fake-kafkajs-cluster.ts'

const OFFSET_FETCH = 9

test('partitions whose connection broke ask again on one new one, and leave it to each other', async () => {
  /** By the order in which they were opened: what fails the questions that wait there. */
  const breaks: ((error: Error) => void)[][] = []
  const answering = {
    versions: { [OFFSET_FETCH]: { minVersion: 0, maxVersion: 8 } },
    connectionPool: { send: async () => ({ errorCode: 0, partitions: [{ partition: 0, offset: 5n, errorCode: 0 }] }) },
  } as unknown as InternalBroker
  const kafka = kafkaWithClusters(() => {
    const waiting: ((error: Error) => void)[] = []
    const isFirst = breaks.push(waiting) === 1
    return {
      findGroupCoordinator: () =>
        isFirst ? new Promise((_, reject) => waiting.push(reject)) : Promise.resolve(answering),
    }
  })
  const offsets = createStableOffsets(kafka, { patienceMs: 5000 })
  const both = [offsets.committed('g', 't', 0), offsets.committed('g', 't', 0)]
  await expect.poll(() => breaks[0]?.length).toBe(2)
  const [first, second] = breaks[0]!
  first!(new Error('the connection broke'))
  // The first one has its answer, on a new connection, when the second one hears of it.
  expect(await both[0]).toBe(5n)
  second!(new Error('the connection broke'))
  expect(await both[1]).toBe(5n)
  expect(breaks).toHaveLength(2)
  await offsets.close()
})
