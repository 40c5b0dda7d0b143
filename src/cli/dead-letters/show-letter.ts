import { type DeadLetter, letterIdOf } from '../../../streams/dead-letter-replay.ts'
import { SchemaRegistryUnavailable } from '../../kafka/kafka-errors.ts'
import type { KafkaAdmin, KafkaClient, RawRecord } from '../../kafka/kafka-types.ts'
import { readLeniently } from '../../kafka/serde/lenient-reader.ts'
import type { WriterSchemas } from '../../kafka/serde/writer-schemas.ts'
import { formatTable } from '../table.ts'
import type { DecideLetter } from './decide-letter.ts'
import { findResent } from './find-resent.ts'
import { hexDump, readableBytes } from './hex-dump.ts'
import type { ReplayRules } from './letter-index.ts'
import type { LetterScan } from './letter-scan.ts'
import { printable, sourceText, stateText } from './letter-text.ts'
import { type ListedLetter, readLetters, type StateName } from './list-letters.ts'
import { LetterNotFound } from './replay-errors.ts'

const MAX_HEADER_CHARACTERS = 200

/** All that is known of one letter, as `--json` prints it. Times are ms since the epoch. */
export type ShownLetter = Omit<ListedLetter, 'event_id'> & {
  /** Text, or 0x and hexadecimal where it is none. */
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** The value in hexadecimal as far as it is shown, and as lines for people. */
  readonly value_hex: string | null
  readonly dump: readonly string[]
  /** The fields as their writer named them, or why they cannot be read. */
  readonly decoded:
    | { readonly schema_id: number | null; readonly fields: Readonly<Record<string, unknown>> }
    | { readonly code: string; readonly message: string }
  /** What a replay would do with it now. */
  readonly now: { readonly sent: boolean; readonly reason: string | null }
  /** Where the records are that were sent for it, as far as they are found. */
  readonly sent_as: readonly { readonly partition: number; readonly offset: number }[]
}

export type ShowDeps = {
  readonly client: Pick<KafkaClient, 'readRanges'>
  readonly admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt' | 'partitionsOf'>
  readonly topic: string
  /** Has read from the letter on. */
  readonly scan: LetterScan
  readonly rules: ReplayRules
  readonly decide: DecideLetter
  readonly writers: WriterSchemas
}

/** A registry that does not answer is no reason to hide the rest of a letter. */
const registryFault = (error: unknown) => {
  if (error instanceof SchemaRegistryUnavailable)
    return { ok: false, code: error.code, message: error.message } as const
  throw error
}

const readOne = async (
  { client, admin, topic }: ShowDeps,
  place: { partition: number; offset: number },
): Promise<{ letter: DeadLetter; record: RawRecord }> => {
  const range = (await admin.offsetRanges(topic)).get(place.partition)
  const isThere = range !== undefined && place.offset >= range.from && place.offset < range.to
  let found: { letter: DeadLetter; record: RawRecord } | undefined
  await readLetters(client, topic, isThere ? [place] : [], (letter, record) => {
    const headers = Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value)]),
    )
    const [key, value] = [record.key, record.value].map((bytes) => (bytes === null ? null : Buffer.from(bytes)))
    found = { letter, record: { ...record, key: key ?? null, value: value ?? null, headers } }
  })
  if (found !== undefined) return found
  throw new LetterNotFound(
    `${topic} holds no letter ${place.partition}-${place.offset}: it never did, or it is gone with the topic's retention. See "driftline dead-letters list"`,
  )
}

/** @throws LetterNotFound, KafkaUnavailable */
export const describeLetter = async (
  deps: ShowDeps,
  place: { partition: number; offset: number },
  maxBytes: number,
): Promise<ShownLetter> => {
  const { letter, record } = await readOne(deps, place)
  const { source, failedAt, code, message, attempts } = letter
  const { value } = record
  const state = deps.scan.index.stateOf(place.partition, place.offset, deps.rules)
  const stateName: StateName = state?.reason ?? 'new'
  const read = await readLeniently(value, { writers: deps.writers }).catch(registryFault)
  const decision = await deps.decide(letter, record).catch((error: unknown) => {
    return { kind: 'leave', reason: 'would_fail', fault: registryFault(error) } as const
  })
  const reasonNow = (): string | null => {
    if (stateName !== 'new') return stateName
    return decision.kind === 'leave' ? `${decision.fault?.code}: ${decision.fault?.message}` : null
  }
  const replayedAt = state?.replayedAt ?? null
  return {
    id: letterIdOf(letter),
    failed_at: failedAt,
    code,
    message,
    source: source === null ? null : { ...source, offset: Number(source.offset) },
    bytes: value?.byteLength ?? null,
    attempts,
    state: stateName,
    replayed_at: replayedAt,
    key: record.key === null ? null : readableBytes(record.key, MAX_HEADER_CHARACTERS),
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, bytes]) => [name, readableBytes(bytes, MAX_HEADER_CHARACTERS)]),
    ),
    value_hex: value === null ? null : Buffer.from(value).subarray(0, maxBytes).toString('hex'),
    dump: value === null ? [] : hexDump(value, maxBytes),
    decoded: read.ok ? { schema_id: read.schemaId, fields: read.members } : { code: read.code, message: read.message },
    now: { sent: reasonNow() === null, reason: reasonNow() },
    sent_as:
      replayedAt === null || source === null
        ? []
        : await findResent({ ...deps, letterId: letterIdOf(letter), source, replayedAt }),
  }
}

const decodedLines = ({ decoded }: ShownLetter): string[] => {
  if ('code' in decoded) return [`not readable: ${decoded.code}: ${printable(decoded.message)}`]
  const how = decoded.schema_id === null ? 'JSON' : `Avro with schema ${decoded.schema_id}`
  const rows = Object.entries(decoded.fields).map(([name, value]) => [
    `  ${printable(name)}`,
    printable(JSON.stringify(value) ?? 'undefined').slice(0, MAX_HEADER_CHARACTERS),
  ])
  return [`decoded as ${how}`, ...(rows.length === 0 ? [] : [formatTable(rows)])]
}

/** A letter for people. */
export const shownText = (shown: ShownLetter): string => {
  const { source, now } = shown
  const facts = [
    ['letter', shown.id],
    ['failed', new Date(shown.failed_at).toISOString()],
    ['code', printable(shown.code)],
    ['message', printable(shown.message)],
    ['source', sourceText(source)],
    ['key', shown.key ?? '-'],
    ['attempts', String(shown.attempts)],
    ['state', stateText(shown.state, shown.replayed_at)],
    ['sent as', shown.sent_as.map((at) => `${source?.topic}-${at.partition}-${at.offset}`).join(', ') || '-'],
    ['replay now', now.sent ? 'would be sent and accepted' : `would be left out: ${printable(now.reason ?? '')}`],
  ]
  const headers = Object.entries(shown.headers).map(([name, text]) => [`  ${printable(name)}`, text])
  return [
    formatTable(facts),
    '',
    'headers',
    formatTable(headers),
    '',
    ...decodedLines(shown),
    '',
    shown.bytes === null ? 'no value' : `value, ${shown.bytes} bytes`,
    ...shown.dump.map((line) => `  ${line}`),
  ].join('\n')
}
