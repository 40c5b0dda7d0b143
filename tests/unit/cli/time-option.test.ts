import { expect, test } from 'vitest'
import { readTimeOption } from '../../../src/cli/time-option.ts'

const now = Date.parse('2030-01-31T12:00:00Z')

test.each([
  ['90s', '2030-01-31T11:58:30Z'],
  ['15m', '2030-01-31T11:45:00Z'],
  ['1.5h', '2030-01-31T10:30:00Z'],
  ['7d', '2030-01-24T12:00:00Z'],
  ['2030-01-01', '2030-01-01T00:00:00Z'],
  ['2030-01-01T10:00:00+02:00', '2030-01-01T08:00:00Z'],
])('%s', (text, moment) => {
  expect(readTimeOption(text, now)).toBe(Date.parse(moment))
})

test.each(['', '15', 'm', '-5m', '2030-01-01T10:00:00', 'yesterday', '2030-13-01', '5 m'])('%s is refused', (text) => {
  expect(() => readTimeOption(text, now)).toThrow('ISO-8601')
})
