import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirmed } from '../../../src/cli/confirmed.ts'

/** Asks on a terminal of our own, on which these keys are pressed. */
const answer = (keys: string): Promise<boolean> => {
  const input = new PassThrough()
  const output = new PassThrough()
  const asked = confirmed('Go on?', { input, output, terminal: true })
  input.write(keys)
  return asked
}

test.each(['y\n', 'yes\n', 'Y\n', ' yes \n'])('%j is yes', async (keys) => {
  expect(await answer(keys)).toBe(true)
})

test.each(['\n', 'n\n', 'yess\n', 'no y\n'])('%j is no', async (keys) => {
  expect(await answer(keys)).toBe(false)
})

test.each([
  ['Ctrl+C', '\u0003'],
  ['Ctrl+D', '\u0004'],
])('%s is an interruption and no defect', async (_name, key) => {
  await expect(answer(key)).rejects.toMatchObject({ code: 'INTERRUPTED' })
})
