import type { Consumer, Kafka } from 'kafkajs'
import { afterEach, expect, test, vi } from 'vitest'
import { startConsumerSession } from '../../../../src/kafka/kafkajs/consumer-session.ts'
import { testLogger } from '../../../support/test-logger.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a stop that was given up leaves no timer behind that keeps the process alive', async () => {
  vi.useFakeTimers()
  const consumer = {
    on: () => () => undefined,
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => undefined,
    disconnect: () => new Promise<void>(() => undefined),
  }
  const session = await startConsumerSession({
    kafka: { consumer: () => consumer as unknown as Consumer } as unknown as Kafka,
    logger: testLogger(),
    group: 'g',
    topics: ['t'],
    sessionTimeoutMs: 10_000,
    chunkMaxRecords: 10,
    chunkGoalMs: 100,
    chunkSafetyMs: 1000,
    stallTimeoutMs: 60_000,
    observer: undefined,
    createWork: () => {
      throw new Error('no record comes')
    },
    onEnd: async () => undefined,
  })
  const ends = Promise.allSettled([session.stop({ deadlineMs: 100 }), session.done])
  await vi.advanceTimersByTimeAsync(100)
  for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'STOP_DEADLINE_PASSED' } })
  expect(vi.getTimerCount()).toBe(0)
})
