import { expect, test } from 'vitest'
import { untilAborted } from '../../../src/cli/until-aborted.ts'

const reason = new Error('told to stop')

test('gives what the work gives', async () => {
  const { signal } = new AbortController()
  expect(await untilAborted(Promise.resolve(7), signal)).toBe(7)
  await expect(untilAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed')
})

test('gives up at once when the signal is aborted', async () => {
  const controller = new AbortController()
  const waiting = untilAborted(new Promise(() => undefined), controller.signal)
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})

test('leaves no rejection of the work behind where the signal was aborted before', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  try {
    await expect(untilAborted(Promise.reject(new Error('failed')), AbortSignal.abort(reason))).rejects.toBe(reason)
    // Rejections that nobody handles are told of after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})
