import { expect, test } from 'vitest'
import { createCommitPace } from '../../../src/kafka/commit-pace.ts'

/** A broker that takes the next transaction so long after a commit, and a worker that asks after its pace at once. */
const run = (transactions: number, markersMs: (transaction: number) => number) => {
  const pace = createCommitPace()
  let refused = 0
  const delays: number[] = []
  for (let transaction = 0; transaction < transactions; transaction++) {
    const asked = pace.delayMs()
    const needed = markersMs(transaction)
    const refusals = asked < needed ? 1 : 0
    refused += refusals
    pace.taken({ sinceCommitMs: Math.max(asked, needed), refusals })
    delays.push(pace.delayMs())
  }
  return { refused, delays }
}

test('comes to wait about as long as the broker needs, and is seldom refused then', () => {
  const { refused, delays } = run(400, () => 3)
  expect(refused).toBeLessThan(400 / 5)
  for (const delay of delays.slice(50)) {
    expect(delay).toBeGreaterThan(2.7)
    expect(delay).toBeLessThan(3.4)
  }
})

test('one slow commit does not slow down those after it for long', () => {
  const { delays } = run(200, (transaction) => (transaction === 50 ? 5000 : 2))
  expect(Math.max(...delays)).toBeLessThan(10)
  expect(delays[199]).toBeLessThan(2.6)
})

test('waits for nothing while transactions are far apart, whatever the first one met', () => {
  const pace = createCommitPace()
  pace.taken({ sinceCommitMs: Number.POSITIVE_INFINITY, refusals: 3 })
  pace.taken({ sinceCommitMs: 1000, refusals: 0 })
  expect(pace.delayMs()).toBe(0)
})
