import { expect, test } from 'vitest'
import { createPendingAttempts } from '../../../src/kafka/pending-attempts.ts'

test('a commit settles the attempt that it ends, of its partition', () => {
  const attempts = createPendingAttempts<string>()
  attempts.add(0, 0, 9, 'a')
  attempts.add(1, 0, 4, 'other')
  expect(attempts.committed(0, 10n)).toBe('a')
  expect(attempts.committed(0, 10n)).toBeUndefined()
  expect(attempts.committed(1, 5n)).toBe('other')
})

test('the next batch may be processed before the one before it is committed', () => {
  const attempts = createPendingAttempts<string>()
  attempts.add(0, 0, 9, 'a')
  attempts.add(0, 10, 19, 'b')
  expect([attempts.committed(0, 10n), attempts.committed(0, 20n)]).toEqual(['a', 'b'])
})

test('what is tried again takes the place of what did not commit', () => {
  const attempts = createPendingAttempts<string>()
  attempts.add(0, 0, 9, 'a')
  attempts.add(0, 10, 19, 'b')
  attempts.add(0, 0, 4, 'a again, smaller')
  expect(attempts.committed(0, 5n)).toBe('a again, smaller')
  attempts.add(0, 5, 19, 'the rest')
  expect(attempts.committed(0, 20n)).toBe('the rest')
})

test('an attempt that somebody else committed is not told of when the partition comes back', () => {
  const attempts = createPendingAttempts<string>()
  attempts.add(0, 0, 9, 'lost')
  attempts.add(0, 50, 59, 'mine')
  expect(attempts.committed(0, 60n)).toBe('mine')
  expect(attempts.committed(0, 70n)).toBeUndefined()
})

test('control records behind the last record belong to the commit', () => {
  const attempts = createPendingAttempts<string>()
  attempts.add(0, 0, 9, 'a')
  expect(attempts.committed(0, 13n)).toBe('a')
})
