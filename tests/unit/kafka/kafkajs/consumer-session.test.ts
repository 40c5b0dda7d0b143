import type { Consumer, Kafka } from 'kafkajs'
import { afterEach, expect, test, vi } from 'vitest'
import { startConsumerSession } from '../../../../src/kafka/kafkajs/consumer-session.ts'
import { testLogger } from '../../../support/test-logger.ts'

afterEach(() => {
  vi.useRealTimers()
})

type Listener = (event: { payload: unknown }) => void

/** A session with a consumer that gets no record. `tell` is what the consumer says of itself. */
const startSession = async (disconnect: () => Promise<void> = async () => undefined) => {
  const listeners = new Map<string, Listener>()
  const consumer = {
    on: (name: string, listener: Listener) => {
      listeners.set(name, listener)
      return () => undefined
    },
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => undefined,
    disconnect: vi.fn(disconnect),
  }
  const onEnd = vi.fn(async () => undefined)
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
    onEnd,
  })
  const tell = (name: string, payload: unknown): void => listeners.get(name)?.({ payload })
  return { session, consumer, onEnd, tell }
}

test('a stop that was given up leaves no timer behind that keeps the process alive', async () => {
  vi.useFakeTimers()
  const { session } = await startSession(() => new Promise<void>(() => undefined))
  const ends = Promise.allSettled([session.stop({ deadlineMs: 100 }), session.done])
  await vi.advanceTimersByTimeAsync(100)
  for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'STOP_DEADLINE_PASSED' } })
  expect(vi.getTimerCount()).toBe(0)
})

test('a crash that kafkajs does not recover from ends the session', async () => {
  vi.useFakeTimers()
  const { session, consumer, onEnd, tell } = await startSession()
  const error = new Error('the group is not ours to read')
  tell('consumer.crash', { error, groupId: 'g', restart: false })
  await expect(session.done).rejects.toMatchObject({ code: 'CONSUMER_FAILED', cause: error })
  expect(consumer.disconnect).toHaveBeenCalledOnce()
  expect(onEnd).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('a crash after which kafkajs starts anew does not end the session', async () => {
  const { session, onEnd, tell } = await startSession()
  tell('consumer.crash', { error: new Error('no broker answers'), groupId: 'g', restart: true })
  expect(onEnd).not.toHaveBeenCalled()
  await session.stop()
  await expect(session.done).resolves.toBeUndefined()
})
