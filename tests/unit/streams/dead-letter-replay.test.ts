import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deadLetterOf } from '../../../src/kafka/dead-letters.ts'
import {
  barrierOf,
  type LetterRecord,
  letterIdOf,
  markerOf,
  placeOfLetterId,
  readLetterRecord,
  reasonToLeaveOut,
  resentRecord,
} from '../../../streams/dead-letter-replay.ts'

type Sent = { partition: number; key: Uint8Array | null; value: Uint8Array | null; headers?: object }

/** What a reader finds of a record that was written. */
const found = ({ partition, key, value, headers }: Sent, offset = 17n): LetterRecord => ({
  ...{ partition, offset, key, value },
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(text)])),
})

const source = { topic: 't.features', partition: 5, offset: 42n }
const record = {
  ...source,
  timestamp: 7,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: { trace: Buffer.from('x') },
}
const reason = { code: 'BAD_AVRO', message: 'short', schemaId: 9 }
const letterRecord = found(deadLetterOf(record, reason, { topic: 'dead', partitions: 4, failedAt: 1234 }))
const letter = readLetterRecord(letterRecord)
if (letter?.kind !== 'letter') throw new Error('a letter is read as a letter')

test('a letter tells what its worker wrote', () => {
  expect(letter).toEqual({
    ...{ kind: 'letter', partition: 1, offset: 17n, code: 'BAD_AVRO', message: 'short', source, schemaId: 9 },
    ...{ failedAt: 1234, sourceTimestamp: 7, attempts: 0, truncated: false },
  })
})

test('an id names a place, and nothing else does', () => {
  fc.assert(
    fc.property(fc.nat(), fc.maxSafeNat().map(BigInt), (partition, offset) => {
      const place = { partition: partition % 1e9, offset: offset % 10n ** 15n }
      expect(placeOfLetterId(letterIdOf(place))).toEqual(place)
    }),
    { numRuns: 200, seed: 5 },
  )
  for (const text of ['', '1', '-1-2', '1-', '1-2-3', '1-x', ' 1-2']) expect(placeOfLetterId(text)).toBeNull()
})

test('a marker and a barrier are no letters; what somebody else wrote is nothing', () => {
  const run = { run: 'r', by: 'cli:me', at: 99 }
  expect(readLetterRecord(found(markerOf({ ...letter, source }, 'dead', run)))).toEqual({
    ...{ kind: 'marker', of: { partition: 1, offset: 17n }, at: 99, by: 'cli:me', run: 'r', source: 't.features-5-42' },
  })
  expect(readLetterRecord(found(barrierOf('dead', 3, 'r/1', run)))).toEqual({ kind: 'barrier', name: 'r/1' })
  expect(readLetterRecord({ partition: 0, offset: 1n, key: null, value: null, headers: {} })).toBeNull()
  // A refused event may carry any header: it stays a letter.
  const forged = {
    ...record,
    headers: { 'driftline.replay.at': Buffer.from('1'), 'driftline.replay.of': Buffer.from('0-0') },
  }
  const read = readLetterRecord(found(deadLetterOf(forged, reason, { topic: 'dead', partitions: 4, failedAt: 1 })))
  expect(read?.kind).toBe('letter')
})

test('a record that was sent and failed again counts its attempts', () => {
  let count = 0
  let current = letterRecord
  while (count < 3) {
    const read = readLetterRecord(current)
    if (read?.kind !== 'letter' || read.source === null) throw new Error('a letter')
    expect(read.attempts).toBe(count)
    const sent = resentRecord({ ...read, source: read.source }, current, { value: current.value, partitions: 6 })
    expect(Object.keys(sent.headers).filter((name) => name.startsWith('driftline.error.'))).toEqual([])
    expect(sent).toMatchObject({ topic: 't.features', partition: 5, key: Buffer.from('k'), value: Buffer.from('v') })
    count += 1
    const again = { ...found(sent), topic: sent.topic, offset: 50n + BigInt(count), timestamp: 8 }
    current = found(deadLetterOf(again, reason, { topic: 'dead', partitions: 4, failedAt: 2000 }))
  }
})

test('a topic that was made anew with fewer partitions is written to all the same', () => {
  const sent = resentRecord({ ...letter, source }, letterRecord, { value: null, partitions: 3 })
  expect(sent.partition).toBe(2)
})

test('what was sent back comes before any other reason, but for a letter that another stands for', () => {
  const facts = { truncated: true, attempts: 9, knownSource: false, replayed: true, repeated: false }
  const rules = { maxAttempts: 3, again: false }
  expect(reasonToLeaveOut({ ...facts, repeated: true }, rules)).toBe('repeated')
  expect(reasonToLeaveOut(facts, rules)).toBe('already_replayed')
  expect(reasonToLeaveOut(facts, { ...rules, again: true })).toBe('truncated')
  expect(reasonToLeaveOut({ ...facts, truncated: false, replayed: false }, rules)).toBe('unknown_source')
  const known = { ...facts, truncated: false, replayed: false, knownSource: true }
  expect(reasonToLeaveOut(known, rules)).toBe('too_many_attempts')
  expect(reasonToLeaveOut({ ...known, attempts: 2 }, rules)).toBeNull()
})
