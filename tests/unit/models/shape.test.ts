import { expect, it } from 'vitest'
import {
  flag,
  list,
  literal,
  nothing,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
  whole,
} from '../../../src/models/shape.ts'

it.each<[string, Shape, unknown[], unknown[]]>([
  ['a number', number(), [0, -1.5, 1e308], ['1', null, Number.NaN, Number.POSITIVE_INFINITY, undefined]],
  ['a number in a range', number({ minimum: 0, maximum: 1 }), [0, 1], [-0.1, 1.1]],
  ['a number above a bound', number({ above: 0 }), [5e-324], [0, -1]],
  ['a whole number', whole({ minimum: 0 }), [0, 7], [0.5, -1, '3', Number.NaN]],
  ['text', text(), ['', 'a'], [1, null]],
  ['text of a pattern', text({ pattern: /^[0-9a-f]{2}$/ }), ['0f'], ['0F', '0ff', '']],
  ['true or false', flag(), [true, false], [0, 'true']],
  ['null', nothing(), [null], [undefined, 0]],
  ['one value', literal(2), [2], [1, '2']],
  ['a list', list(number(), { minItems: 1, maxItems: 2 }), [[1], [1, 2]], [[], [1, 2, 3], ['1'], { length: 1 }]],
  ['a list of different items', list(text(), { unique: true }), [[], ['a', 'b']], [['a', 'a']]],
  ['an object of any names', record(whole()), [{}, { a: 1 }], [{ a: 'b' }, [], null]],
  ['one of two', oneOf(literal('a'), whole()), ['a', 3], ['b', 1.5]],
  [
    'an object',
    object({ a: whole(), b: optional(text()) }),
    [{ a: 1 }, { a: 1, b: '' }, { a: 1, c: 2 }, { a: 1, b: undefined }],
    [{}, { a: 1, b: 2 }, [], null, 'a'],
  ],
])('%s is told from what is none', (_name, shape, good, bad) => {
  for (const value of good) expect(shape(value), JSON.stringify(value)).toBeNull()
  for (const value of bad) expect(shape(value), String(value)).not.toBeNull()
})

it('takes no inherited member for one of its own', () => {
  expect(object({ constructor: optional(text()) })({})).toBeNull()
  expect(object({ toString: text() })({})).toEqual({ at: '/toString', message: 'is missing' })
})

it('says where the first mistake is, and what should be there', () => {
  const shape = object({ rows: list(object({ share: number({ minimum: 0, maximum: 1 }) })) })
  expect(shape({ rows: [{ share: 0.5 }, { share: 2 }] })).toEqual({
    at: '/rows/1/share',
    message: 'must be a number from 0 to 1',
  })
})

it('tells the mistake of the alternative that fits furthest', () => {
  const shape = oneOf(object({ kind: literal('a') }), object({ kind: literal('b'), size: object({ rows: whole() }) }))
  expect(shape({ kind: 'b', size: { rows: 'many' } })).toEqual({ at: '/size/rows', message: 'must be a whole number' })
})
