import { expect, test } from 'vitest'
import { pulledBlocks } from '../../../../src/cli/replay/pulled-blocks.ts'

test('gives the blocks in order, and the reader is never more than one ahead', async () => {
  let pushed = 0
  const blocks = pulledBlocks<number>(async (push) => {
    for (let block = 0; block < 50; block++) {
      pushed = block + 1
      await push(block)
    }
  })
  const taken: number[] = []
  for await (const block of blocks) {
    taken.push(block)
    expect(pushed - taken.length).toBeLessThanOrEqual(1)
  }
  expect(taken).toEqual(Array.from({ length: 50 }, (_, block) => block))
})

test('ends where nothing is pushed', async () => {
  for await (const block of pulledBlocks<number>(async () => undefined)) expect(block).toBeNull()
})

test('passes a failure on, after what came before it', async () => {
  const taken: number[] = []
  const all = async () => {
    const blocks = pulledBlocks<number>(async (push) => {
      await push(1)
      throw new Error('the broker is gone')
    })
    for await (const block of blocks) taken.push(block)
  }
  await expect(all()).rejects.toThrow('the broker is gone')
  expect(taken).toEqual([1])
})

test('who stops asking ends the reader, and a reader that objects to that is not heard', async () => {
  let aborted = false
  const blocks = pulledBlocks<number>(async (push, signal) => {
    for (let block = 0; !signal.aborted; block++) await push(block)
    aborted = true
    throw signal.reason
  })
  for await (const block of blocks) if (block === 3) break
  expect(aborted).toBe(true)
})
