import { expect, test } from 'vitest'
import { createDeadLetterLog, type LoggedDeadLetter } from '../../../src/telemetry/dead-letter-log.ts'
import { createLogAllowance } from '../../../src/telemetry/log-allowance.ts'

test('a storm of one kind is told of by a few lines and a count, and hides no other kind', () => {
  let at = 0
  const allowance = createLogAllowance({ perKind: 2, inAll: 5, now: () => at })
  const taken = Array.from({ length: 10_000 }, () => allowance.take('A')).filter(Boolean)
  expect(taken).toHaveLength(2)
  expect(allowance.take('B')).toBe(true)
  expect(allowance.settle()).toBeNull()
  at = 999
  expect(allowance.take('A')).toBe(false)
  at = 1000
  expect(allowance.settle()).toEqual(new Map([['A', 9999]]))
  expect(allowance.settle()).toBeNull()
  expect(allowance.take('A')).toBe(true)
})

test('many kinds together stay within the limit of all', () => {
  const allowance = createLogAllowance({ perKind: 2, inAll: 5, now: () => 7 })
  expect(Array.from({ length: 50 }, (_, i) => allowance.take(`kind ${i}`)).filter(Boolean)).toHaveLength(5)
})

test('a clock that is set back does not silence the log', () => {
  let at = 1_000_000
  const allowance = createLogAllowance({ perKind: 1, inAll: 1, now: () => at })
  expect([allowance.take('A'), allowance.take('A')]).toEqual([true, false])
  at = 5
  expect(allowance.take('A')).toBe(true)
  expect(allowance.settle()).toBeNull()
  at = 2000
  expect(allowance.settle()).toEqual(new Map([['A', 1]]))
})

test('the log of dead letters shows the first of each code and then how many more there were', () => {
  let at = 0
  const lines: [object, string | undefined][] = []
  const log = createDeadLetterLog(
    { warn: (object: object, text?: string) => void lines.push([object, text]) },
    () => at,
  )
  type Letter = Pick<LoggedDeadLetter, 'code'> & { readonly place: number }
  const how = {
    codeOf: ({ code }: Letter) => code,
    describe: ({ code, place }: Letter) => ({ code, message: 'm', topic: 't', partition: 0, offset: String(place) }),
  }
  const letters = Array.from({ length: 1000 }, (_, place) => ({ code: place === 700 ? 'RARE' : 'OFTEN', place }))
  log.tell(letters, how)
  expect(lines.map(([line]) => (line as LoggedDeadLetter).offset)).toEqual(['0', '1', '700'])
  at = 1500
  log.tell([], how)
  expect(lines.slice(3)).toEqual([
    [{ dead_letters: { OFTEN: 997 } }, '997 more dead letters that are not shown one by one'],
  ])
})
