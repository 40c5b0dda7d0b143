import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeRows } from '../../../../src/cli/replay/merge-rows.ts'

type Row = { offset: number; side: string }

async function* blocksOf(offsets: readonly number[], side: string, size: number) {
  for (let from = 0; from < offsets.length; from += size) {
    // A block without rows is no end.
    yield []
    yield offsets.slice(from, from + size).map((offset) => ({ offset, side }))
  }
}

const merged = async (left: readonly number[], right: readonly number[], sizes: readonly [number, number]) => {
  const found: string[] = []
  await mergeRows<Row, Row>(blocksOf(left, 'left', sizes[0]), blocksOf(right, 'right', sizes[1]), {
    both: (a, b) => found.push(`${a.offset} ${a.side} ${b.side} ${b.offset}`),
    onlyLeft: (a) => found.push(`${a.offset} ${a.side}`),
    onlyRight: (b) => found.push(`${b.offset} ${b.side}`),
  })
  return found
}

const offsets = fc
  .uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 25 })
  .map((all) => all.sort((a, b) => a - b))
const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))

test('each offset is found once, with the sides that have it, in order', async () => {
  await fc.assert(
    fc.asyncProperty(offsets, offsets, sizes, async (left, right, size) => {
      const all = [...new Set([...left, ...right])].sort((a, b) => a - b)
      const expected = all.map((offset) => {
        if (!right.includes(offset)) return `${offset} left`
        if (!left.includes(offset)) return `${offset} right`
        return `${offset} left right ${offset}`
      })
      expect(await merged(left, right, size)).toEqual(expected)
    }),
    { seed: 3, numRuns: 200 },
  )
})

test('a failure of one side ends both', async () => {
  let closed = false
  async function* endless() {
    try {
      for (let offset = 0; ; offset++) yield [{ offset, side: 'left' }]
    } finally {
      closed = true
    }
  }
  async function* broken() {
    yield [{ offset: 2, side: 'right' }]
    throw new Error('gone')
  }
  const nothing = () => undefined
  await expect(
    mergeRows(endless(), broken(), { both: nothing, onlyLeft: nothing, onlyRight: nothing }),
  ).rejects.toThrow('gone')
  expect(closed).toBe(true)
})
