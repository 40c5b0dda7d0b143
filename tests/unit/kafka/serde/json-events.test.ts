import { expect, test } from 'vitest'
import { featureEventFromJson, labelFromJson } from '../../../../src/kafka/serde/json-events.ts'

const source = { topic: 'task.features', partition: 2, offset: 17n, timestamp: 1_700_000_000_000, key: null }
const read = featureEventFromJson(['a', 'b'])
const readLabel = labelFromJson('classification')
const readNumber = labelFromJson('regression')

test('reads what is there, ignores the rest', () => {
  const members = { event_id: 'e', event_time: 5, a: 1.5, b: null, c: 'x' }
  expect(read(members, source)).toEqual({ ok: true, value: { event_id: 'e', event_time: 5, a: 1.5, b: null } })
})

test('the record fills in id and time', () => {
  expect(read({ a: 1 }, source)).toEqual({
    ok: true,
    value: { event_id: 'task.features-2-17', event_time: 1_700_000_000_000, a: 1, b: null },
  })
})

test.each([
  [1_700_000_000_123.9, 1_700_000_000_123],
  ['2030-01-31T12:00:00Z', Date.UTC(2030, 0, 31, 12)],
  ['2030-01-31T12:00:00.250+02:00', Date.UTC(2030, 0, 31, 10, 0, 0, 250)],
  ['2030-01-31', Date.UTC(2030, 0, 31)],
  [0, 0],
  [-1, -1],
])('takes the time %s', (event_time, expected) => {
  expect(read({ event_time }, source)).toMatchObject({ ok: true, value: { event_time: expected } })
})

test.each(['2030-01-31T12:00:00', 'yesterday', '31.01.2030', '', true, {}, 1e300, 2 ** 52, '2030-13-01'])(
  'refuses the time %j',
  (event_time) => {
    expect(read({ event_time }, source)).toMatchObject({ ok: false, code: 'BAD_EVENT_TIME' })
  },
)

test.each(['', 7, {}, false])('refuses the id %j', (event_id) => {
  expect(read({ event_id }, source)).toMatchObject({ ok: false, code: 'BAD_EVENT_ID' })
})

test('features stay what they are: their check comes later', () => {
  expect(read({ a: '1.5', b: [1] }, source)).toMatchObject({ ok: true, value: { a: '1.5', b: [1] } })
  expect(read(JSON.parse('{"__proto__": {"a": 1}}'), source)).toMatchObject({ ok: true, value: { a: null } })
})

test('reads labels', () => {
  expect(readLabel({ event_id: 'e', label: 'x', labelled_at: 9 }, source)).toEqual({
    ok: true,
    value: { event_id: 'e', label: 'x', labelled_at: 9 },
  })
  expect(readLabel({ event_id: 'e', label: 'x' }, source)).toMatchObject({
    value: { labelled_at: source.timestamp },
  })
  expect(readLabel({ label: 'x' }, source)).toMatchObject({ code: 'BAD_EVENT_ID' })
  expect(readLabel({ event_id: 'e', label: 3 }, source)).toMatchObject({ code: 'UNKNOWN_LABEL' })
  expect(readLabel({ event_id: 'e', label: 'x', labelled_at: 'soon' }, source)).toMatchObject({
    code: 'BAD_EVENT_TIME',
  })
})

test.each([
  [12.5, '12.5'],
  ['12.5', '12.5'],
  [1e-7, '1e-7'],
  ['a word', 'a word'],
])('reads the label %j of a number as text, which is checked later', (label, expected) => {
  expect(readNumber({ event_id: 'e', label, labelled_at: 9 }, source)).toMatchObject({
    ok: true,
    value: { label: expected },
  })
})

test.each([[null], [true], [[1]], [{ value: 1 }]])('refuses the label %j of a number', (label) => {
  expect(readNumber({ event_id: 'e', label }, source)).toMatchObject({ ok: false, code: 'BAD_LABEL' })
})
