import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventRows } from '../../../../src/event-rows.ts'
import type { RecordBatch } from '../../../../src/kafka/kafka-types.ts'
import type { AvroField, AvroRecord } from '../../../../src/kafka/serde/avro-schemas.ts'
import type { RowFeature } from '../../../../src/kafka/serde/row-plan.ts'
import { createSampleCodecs, type SampleCodecs } from '../../../support/sample-codecs.ts'

const features: readonly RowFeature[] = [
  { name: 'a', type: 'double', nullable: false, range: [-1000, 1000] },
  { name: 'b', type: 'double', nullable: true },
  { name: 'town', type: 'category', nullable: true },
  { name: 'soil', type: 'category', nullable: false },
]
const width = features.length
const codecs = await createSampleCodecs({ features, maxEventBytes: 400 })

/** The event of a row, put together from the columns or taken as it is. */
const eventOf = (rows: EventRows, row: number): Record<string, unknown> => {
  const odd = rows.odd.get(row)
  if (odd !== undefined) return odd
  const text = (start: number, end: number) => rows.text.toString('utf8', start, end)
  const event: Record<string, unknown> = {
    event_id: text(rows.idStarts[row]!, rows.idEnds[row]!),
    event_time: rows.eventTimes[row],
  }
  features.forEach(({ name, type }, f) => {
    const at = row * width + f
    const number = rows.numbers[at]!
    const start = rows.categoryStarts[at]!
    if (type === 'category') event[name] = start < 0 ? null : text(start, rows.categoryEnds[at]!)
    else event[name] = Number.isNaN(number) ? null : number
  })
  return event
}

/** What the reader makes of each record: the event, or why there is none. */
const readAll = (batch: RecordBatch, from: SampleCodecs = codecs) => {
  const { rows, failures } = from.eventRows().read(batch)
  const read: unknown[] = new Array(batch.length)
  for (const [place, reason] of failures) read[place] = reason
  for (let row = 0; row < rows.length; row++) read[rows.places[row]!] = eventOf(rows, row)
  return { read, rows, oddPlaces: [...rows.odd.keys()].map((row) => rows.places[row]) }
}

/** What the codec makes of each record, one by one. */
const decodeAll = ({ topic, partition, length, bytes, offsets, valueStarts, valueEnds }: RecordBatch): unknown[] =>
  Array.from({ length }, (_, i) => {
    const value = valueStarts[i]! < 0 ? null : bytes.subarray(valueStarts[i]!, valueEnds[i]!)
    const source = { topic, partition, offset: BigInt(offsets[i]!), timestamp: 1, key: null }
    const result = codecs.features.decode(value, source)
    return result.ok ? { ...result.value } : result
  })

const event = (changes: object = {}) => ({
  ...{ event_id: 'e-1', event_time: 1_700_000_000_123, a: 1.5, b: -2, town: 'north', soil: 'clay' },
  ...changes,
})
const own = (changes: object = {}): Buffer => Buffer.from(codecs.features.encode(event(changes)))

const foreign = (fields: AvroField[], name = 'FeatureEvent') => {
  const schema: AvroRecord = { type: 'record', name, namespace: 'elsewhere', fields }
  return codecs.foreignWriter(schema)
}
const id: AvroField = { name: 'event_id', type: 'string' }
const time: AvroField = { name: 'event_time', type: 'long' }
const soil: AvroField = { name: 'soil', type: 'string' }

describe('events of the own schema', () => {
  it('are read into columns, in the order of the task, with their places', () => {
    const batch = codecs.batchOf([own(), own({ event_id: 'Grüße', b: null, town: null, soil: '', event_time: -5 })])
    const { read, rows } = readAll(batch)
    expect(rows.odd.size).toBe(0)
    expect(read).toEqual([event(), event({ event_id: 'Grüße', b: null, town: null, soil: '', event_time: -5 })])
    expect([rows.topic, rows.partition, rows.length, rows.features]).toEqual([
      'task.features',
      3,
      2,
      ['a', 'b', 'town', 'soil'],
    ])
    expect([...rows.places.subarray(0, 2)]).toEqual([0, 1])
    expect([...rows.offsets.subarray(0, 2)]).toEqual([40, 41])
  })

  it.each<[string, object]>([
    ['not a number', { a: Number.NaN }],
    ['infinite', { b: Number.POSITIVE_INFINITY }],
    ['below its range', { a: -1000.1 }],
    ['above its range', { a: 1001 }],
  ])('are left as they are where a value is %s: the model says whether it minds', (_name, changes) => {
    const { read, oddPlaces } = readAll(codecs.batchOf([own(), own(changes), own()]))
    expect(oddPlaces).toEqual([1])
    expect(read[1]).toEqual(event(changes))
    expect(read[2]).toEqual(event())
  })

  it('leave no row where they fail, and the next row takes its place', () => {
    const batch = codecs.batchOf([own({ event_id: '' }), own(), null, own().subarray(0, -1), own({ b: null })])
    const { rows, read } = readAll(batch)
    expect([...rows.places.subarray(0, rows.length)]).toEqual([1, 4])
    expect(read.map((one) => (one as { code?: string }).code)).toEqual([
      'BAD_EVENT_ID',
      undefined,
      'BAD_WIRE_FORMAT',
      'BAD_AVRO',
      undefined,
    ])
    expect(read[4]).toEqual(event({ b: null }))
  })

  it('keep nothing of an earlier batch', () => {
    const reader = codecs.eventRows()
    reader.read(codecs.batchOf(Array.from({ length: 50 }, (_, i) => own({ a: i, event_id: `long-${i}` }))))
    const batch = codecs.batchOf(['{"event_id":"j","event_time":1,"a":1,"soil":"x"}', own({ town: null, b: null })])
    const { rows } = reader.read(batch)
    expect([...rows.categoryStarts.subarray(0, width)]).toEqual([-1, -1, -1, -1])
    expect(eventOf(rows, 0)).toEqual({ event_id: 'j', event_time: 1, a: 1, b: null, town: null, soil: 'x' })
    expect(eventOf(rows, 1)).toEqual(event({ town: null, b: null }))
  })
})

describe('events of other schemas', () => {
  it('are read by columns where their fields are plain values or null', () => {
    const { write } = foreign([
      { name: 'note', type: ['string', 'null'] },
      { name: 'flag', type: 'boolean' },
      soil,
      { name: 'small', type: 'float' },
      { name: 'large', type: ['null', 'double'] },
      { name: 'count', type: 'long' },
      { name: 'a', type: 'int' },
      { name: 'b', type: ['long', 'null'] },
      { name: 'blob', type: 'bytes' },
      { name: 'nothing', type: 'null' },
      { name: 'event_time', type: 'int' },
      id,
    ])
    const extra = {
      note: 'x',
      flag: true,
      small: 1,
      large: null,
      count: 2 ** 50,
      blob: Buffer.alloc(70),
      nothing: null,
    }
    const values = { soil: 'peat', a: -7, event_time: 123, event_id: 'f' }
    const batch = codecs.batchOf([
      write({ ...extra, ...values, b: null }),
      own(),
      write({ ...extra, ...values, note: null, large: 3, b: 2 ** 40 }),
    ])
    const { read, oddPlaces } = readAll(batch)
    // A number of eight bytes is left to the library.
    expect(oddPlaces).toEqual([0, 2])
    expect(read).toEqual(decodeAll(batch))
    const plain = codecs.batchOf([write({ ...extra, ...values, count: 5, b: null })])
    expect(readAll(plain).oddPlaces).toEqual([])
    expect(readAll(plain).read).toEqual([{ event_id: 'f', event_time: 123, a: -7, b: null, town: null, soil: 'peat' }])
  })

  it.each<[string, AvroField[], object]>([
    ['a feature that may not be missing is', [id, time, soil], {}],
    ['a feature is null that may not be', [id, time, soil, { name: 'a', type: ['null', 'double'] }], { a: null }],
    [
      'a field is a list',
      [id, time, soil, { name: 'a', type: 'double' }, { name: 'l', type: { type: 'array', items: 'int' } }],
      { a: 1, l: [1] },
    ],
    ['a field has three types', [id, time, soil, { name: 'a', type: ['null', 'boolean', 'double'] }], { a: 1 }],
    [
      'a category is bytes',
      [id, time, { name: 'soil', type: 'bytes' }, { name: 'a', type: 'int' }],
      { a: 1, soil: Buffer.from('x') },
    ],
    ['a number is text', [id, time, soil, { name: 'a', type: 'string' }], { a: '1' }],
    [
      'a category is a number',
      [id, time, { name: 'soil', type: 'int' }, { name: 'a', type: 'int' }],
      { a: 1, soil: 1 },
    ],
    ['there is no time', [id, soil, { name: 'a', type: 'int' }], { a: 1 }],
    [
      'the id may be null',
      [{ name: 'event_id', type: ['null', 'string'] }, time, soil, { name: 'a', type: 'int' }],
      { a: 1 },
    ],
  ])('are left to the codec where %s', (_name, fields, values) => {
    const { write } = foreign(fields)
    const batch = codecs.batchOf([write(event(values)), own()])
    const { read, rows } = readAll(batch)
    expect(read).toEqual(decodeAll(batch))
    expect(rows.odd.has(0) || rows.length === 1).toBe(true)
  })

  it('are refused where the record is another one', () => {
    const { write } = foreign([id, time, soil, { name: 'a', type: 'double' }], 'Other')
    const batch = codecs.batchOf([write(event())])
    expect(readAll(batch).read).toEqual([expect.objectContaining({ ok: false, code: 'BAD_AVRO' })])
  })

  it('are fetched once before they are read, and only where they are not known', async () => {
    const reader = codecs.eventRows()
    expect(reader.prepare(codecs.batchOf([own(), null, '{}', Buffer.from([0, 1])]))).toBeUndefined()
    const unknown = own()
    unknown.writeUInt32BE(987_654, 1)
    const tooLarge = Buffer.alloc(401)
    tooLarge.writeUInt32BE(987_655, 1)
    const batch = codecs.batchOf([own(), unknown, tooLarge, own()])
    await reader.prepare(batch)
    expect(reader.prepare(batch)).toBeUndefined()
    expect(readAll(batch).read[1]).toMatchObject({ code: 'UNKNOWN_SCHEMA', schemaId: 987_654 })
    expect(readAll(batch).read[2]).toMatchObject({ code: 'RECORD_TOO_LARGE' })
  })
})

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constant('x'.repeat(60)),
)
const number = fc.oneof(fc.double({ min: -1000, max: 1000, noNaN: true }), fc.double(), fc.constantFrom(0, -0, 5e-324))
const times = fc.oneof(
  fc.integer({ min: -(2 ** 40), max: 2 ** 42 }),
  fc.constantFrom(0, -1, 63, 64, 2 ** 27 - 1, 2 ** 27, -(2 ** 27) - 1, 2 ** 48, 2 ** 51, 2 ** 52 - 1),
)
const events = fc.record({
  event_id: text,
  event_time: times,
  a: number,
  b: fc.option(number),
  town: fc.option(text),
  soil: text,
})

/** Bytes that are changed, cut or lengthened at one place. */
const damaged = (value: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(value, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'add'))
    .map(([bytes, at, byte, how]) => {
      const place = at % bytes.length
      if (how === 'cut') return bytes.subarray(0, place)
      if (how === 'add') return Buffer.concat([bytes, Buffer.from([byte])])
      const changed = Buffer.from(bytes)
      changed[place] = byte
      return changed
    })

const optionalWriter = foreign([
  { name: 'soil', type: ['null', 'string'] },
  { name: 'more', type: ['null', 'long'] },
  time,
  { name: 'b', type: ['float', 'null'] },
  { name: 'a', type: 'double' },
  id,
])
const foreignEvents = fc
  .record({
    event_id: text,
    event_time: times,
    a: number,
    b: fc.option(fc.float()),
    soil: fc.option(text),
    more: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((n) => n * 2 ** 20)),
  })
  .map(optionalWriter.write)
const values = fc.oneof(
  events.map(own),
  foreignEvents,
  damaged(events.map(own)),
  damaged(foreignEvents),
  events.map((one) => Buffer.from(JSON.stringify(one))),
)

describe('whatever stands in a record', () => {
  it('is read as the codec reads it', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 8 }), (all) => {
        const batch = codecs.batchOf(all)
        expect(readAll(batch).read).toEqual(decodeAll(batch))
      }),
      { seed: 5, numRuns: 600 },
    )
  })
})
