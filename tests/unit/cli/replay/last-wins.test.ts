import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLastWins } from '../../../../src/cli/replay/last-wins.ts'

type Row = { offset: number; written: number }

/** What a window gives out of rows, looked at after every `every` of them. */
const through = (rows: readonly Row[], distance: number, every: number) => {
  const window = createLastWins<Row>(distance)
  const given: Row[] = []
  let mostHeld = 0
  rows.forEach((row, index) => {
    window.add(row)
    if (index % every === 0) given.push(...window.settled())
    mostHeld = Math.max(mostHeld, index + 1 - given.length)
  })
  given.push(...window.rest())
  return { given, late: window.late(), mostHeld }
}

/** Attempts of one partition: each goes on where the last one that was committed ended, and some are aborted. */
const attempts = fc.array(fc.record({ length: fc.integer({ min: 1, max: 20 }), aborted: fc.boolean() }), {
  maxLength: 40,
})

const written = (tries: readonly { length: number; aborted: boolean }[], gap: number): Row[] => {
  const rows: Row[] = []
  let next = 0
  for (const { length, aborted } of tries) {
    for (let i = 0; i < length; i++) rows.push({ offset: (next + i) * gap, written: rows.length })
    if (!aborted) next += length
  }
  return rows
}

test('of each offset the last row counts, in order, whatever was aborted', () => {
  fc.assert(
    fc.property(attempts, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 7 }), (tries, gap, every) => {
      const rows = written(tries, gap)
      const last = new Map(rows.map((row) => [row.offset, row]))
      const { given, late } = through(rows, 20 * gap, every)
      expect(given).toEqual([...last.values()].sort((a, b) => a.offset - b.offset))
      expect(late).toBe(0)
    }),
    { seed: 7, numRuns: 300 },
  )
})

test('what comes again too late is left out and counted', () => {
  const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1].map((offset, index) => ({ offset, written: index }))
  const { given, late } = through(rows, 3, 1)
  expect(given).toEqual(rows.slice(0, 9))
  expect(late).toBe(2)
})

test('it holds no more than the distance', () => {
  const rows = Array.from({ length: 10_000 }, (_, offset) => ({ offset, written: offset }))
  const { mostHeld } = through(rows, 100, 1)
  expect(mostHeld).toBeLessThanOrEqual(101)
})
