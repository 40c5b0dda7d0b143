import { expect, test } from 'vitest'
import { readRanges } from '../../../../src/kafka/kafkajs/range-reader.ts'
import { kafkaWithClusters } from '../../../support/fake-kafkajs-cluster.ts'

test('whoever ends it while it waits for a broker is told the own reason', async () => {
  const controller = new AbortController()
  let asked = 0
  const kafka = kafkaWithClusters(() => ({
    connect: async () => {
      asked += 1
      // In the pause that follows.
      setImmediate(() => controller.abort(new Error('enough')))
      throw new Error('nobody there')
    },
  }))
  const ranges = new Map([[0, { from: 0n, to: 10n }]])
  const reading = readRanges(kafka, { topic: 't', ranges, process: () => undefined, signal: controller.signal })
  await expect(reading).rejects.toThrow('enough')
  expect(asked).toBe(1)
})
