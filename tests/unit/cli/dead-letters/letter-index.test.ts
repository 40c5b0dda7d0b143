import { expect, test } from 'vitest'
import { createLetterIndex } from '../../../../src/cli/dead-letters/letter-index.ts'
import { newestLetters, summariseCodes } from '../../../../src/cli/dead-letters/list-letters.ts'
import type { DeadLetter } from '../../../../streams/dead-letter-replay.ts'

const rules = { maxAttempts: 3, again: false }

const letter = (partition: number, offset: number, change: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{
    kind: 'letter',
    partition,
    offset: BigInt(offset),
    code: 'A',
    message: '',
    schemaId: null,
    sourceTimestamp: null,
  },
  ...{
    source: { topic: 't', partition, offset: BigInt(offset) },
    failedAt: 1000 + offset,
    attempts: 0,
    truncated: false,
  },
  ...change,
})
const marker = (partition: number, offset: number, run: string, source = '') => ({
  ...({ kind: 'marker', of: { partition, offset: BigInt(offset) }, at: 5000, by: 'me', run, source } as const),
})

test('markers find their letters, and tell whose they are', () => {
  const index = createLetterIndex('mine')
  for (const offset of [2, 3, 5, 8, 13]) index.addLetter(letter(0, offset), true)
  index.addMarker(marker(0, 5, 'mine'))
  index.addMarker(marker(0, 8, 'theirs'))
  index.addMarker(marker(0, 4, 'theirs'))
  index.addMarker(marker(1, 2, 'theirs'))
  index.settle()
  const states = [...index.states(rules)]
  expect(states.map(({ offset, reason, own }) => [offset, reason, own])).toEqual([
    [2, null, false],
    [3, null, false],
    [5, 'already_replayed', true],
    [8, 'already_replayed', false],
    [13, null, false],
  ])
  // What this run has sent is not sent again, even where sending again is asked for.
  expect(index.stateOf(0, 8, { ...rules, again: true })?.reason).toBeNull()
  expect(index.stateOf(0, 5, { ...rules, again: true })?.reason).toBe('already_replayed')
  expect(index.stateOf(0, 4, rules)).toBeNull()
})

test('letters of one record are one, also when more is read later; records without a place stay apart', () => {
  const index = createLetterIndex('mine')
  const source = { topic: 't', partition: 0, offset: 7n }
  index.addLetter(letter(0, 1, { source }), true)
  index.addLetter(letter(0, 2, { source: { ...source, topic: 'u' } }), true)
  index.addLetter(letter(0, 3, { source: null }), false)
  index.addLetter(letter(0, 4, { source: null }), false)
  index.addLetter(letter(0, 5, { source }), true)
  index.settle()
  const reasons = () => [...index.states(rules)].map(({ reason }) => reason)
  expect(reasons()).toEqual(['repeated', null, 'unknown_source', 'unknown_source', null])
  index.addMarker(marker(9, 9, 'theirs', 't-0-7'))
  index.settle()
  expect(reasons()).toEqual(['repeated', null, 'unknown_source', 'unknown_source', 'already_replayed'])
})

test('codes are summed up, and the newest letters of all partitions are found', () => {
  const index = createLetterIndex('mine')
  for (let i = 0; i < 5000; i++) index.addLetter(letter(i % 3, i, { code: i % 10 === 0 ? 'RARE' : 'OFTEN' }), true)
  index.markSent({ partition: 0, offset: 0 }, 9000)
  index.settle()
  expect(summariseCodes(index, rules)).toEqual([
    { code: 'OFTEN', letters: 4500, states: { new: 4500 }, first_failed_at: 1001, last_failed_at: 5999 },
    {
      ...{ code: 'RARE', letters: 500, states: { already_replayed: 1, new: 499 } },
      ...{ first_failed_at: 1000, last_failed_at: 5990 },
    },
  ])
  expect(newestLetters(index, rules, 3).map(({ offset }) => offset)).toEqual([4997, 4998, 4999])
  expect(newestLetters(index, rules, 0)).toEqual([])
})
