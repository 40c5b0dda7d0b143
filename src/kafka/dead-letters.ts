import type { OutgoingRecord, RawRecord } from './kafka-types.ts'
import { MAX_DEAD_LETTER_BYTES, wireBytes } from './record-size.ts'

/** Why a record became a dead letter. */
export type DeadLetterReason = {
  readonly code: string
  readonly message: string
  readonly schemaId?: number | undefined
}

/** Where dead letters go. */
export type DeadLetterTarget = {
  readonly topic: string
  readonly partitions: number
  /** What a letter may take on the wire; MAX_DEAD_LETTER_BYTES where nothing is said. */
  readonly maxBytes?: number
}

/** Headers are shown and stored by many; a message of any length does not belong there. */
const MAX_MESSAGE_CHARACTERS = 500

/** Room for the header that tells of a cut. */
const TRUNCATION_NOTE_BYTES = 100

/** More than what stands in a letter beside the record's own bytes and the name of its topic. */
const OWN_BYTES = 4096

/** UTF-8 takes no more for what a string counts as one. */
const UTF8_BYTES = 3

/** A bound that takes no look at the text of headers: a storm of letters should cost no more than good events. */
const isFarBelow = (record: RawRecord, maxBytes: number): boolean => {
  let bytes = OWN_BYTES + UTF8_BYTES * record.topic.length
  bytes += (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0)
  for (const name in record.headers) bytes += 10 + UTF8_BYTES * name.length + record.headers[name]!.byteLength
  return bytes <= maxBytes
}

/** The value as far as it fits; one that was cut says how long it was. */
const fitted = (letter: OutgoingRecord, maxBytes: number): OutgoingRecord => {
  const excess = wireBytes(letter) - maxBytes
  if (excess <= 0) return letter
  const { value } = letter
  const size = value?.byteLength ?? 0
  const kept = Math.max(0, size - excess - TRUNCATION_NOTE_BYTES)
  return {
    ...letter,
    // Where even without a value it is too large, the key is: a compressed batch may hold one of any size.
    key: size < excess ? null : letter.key,
    value: value?.subarray(0, kept) ?? null,
    headers: { ...letter.headers, 'driftline.error.truncated': String(size) },
  }
}

const errorHeaders = (record: RawRecord, reason: DeadLetterReason, failedAt: number): Record<string, string> => {
  const { code, message, schemaId } = reason
  const headers: Record<string, string> = {
    'driftline.error.code': code,
    'driftline.error.message':
      message.length > MAX_MESSAGE_CHARACTERS ? message.slice(0, MAX_MESSAGE_CHARACTERS) : message,
    'driftline.error.topic': record.topic,
    'driftline.error.partition': String(record.partition),
    'driftline.error.offset': String(record.offset),
    'driftline.error.timestamp': String(record.timestamp),
    'driftline.error.failed_at': String(failedAt),
  }
  if (schemaId !== undefined) headers['driftline.error.schema_id'] = String(schemaId)
  return headers
}

const hasHeaders = ({ headers }: RawRecord): boolean => {
  for (const _ in headers) return true
  return false
}

/** An earlier failure of the same record may have left a header that this one has not, such as its schema. */
const withoutOlder = (headers: RawRecord['headers']): RawRecord['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('driftline.error.')))

/**
 * The record that keeps what could not be handled: the original key and value, byte for byte, its own headers, and
 * what went wrong and where it came from. Headers of an earlier failure are replaced:
 * the last one counts.
 * A record that no topic takes (one may come out of a compressed batch) is kept as far as it fits, with the header
 * `driftline.error.truncated` telling the size of its value.
 * @param failedAt ms since the epoch
 */
export const deadLetterOf = (
  record: RawRecord,
  reason: DeadLetterReason,
  target: DeadLetterTarget & { readonly failedAt: number },
): OutgoingRecord => {
  const { maxBytes = MAX_DEAD_LETTER_BYTES } = target
  const ours = errorHeaders(record, reason, target.failedAt)
  const { topic } = target
  const partition = record.partition % target.partitions
  const { key, value } = record
  const headers = hasHeaders(record) ? { ...withoutOlder(record.headers), ...ours } : ours
  const whole = { topic, partition, key, value, headers }
  if (isFarBelow(record, maxBytes) || wireBytes(whole) <= maxBytes) return whole
  return fitted({ ...whole, headers: ours }, maxBytes)
}
