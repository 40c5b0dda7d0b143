/** Headers of what a replay sends and writes. */
export const replayHeaders = {
  /** The letter that a record was sent for, or that a marker is about: `<partition>-<offset>` of the letter. */
  of: 'driftline.replay.of',
  /** How often a record was sent back, this time included. */
  count: 'driftline.replay.count',
  /** Of a marker: when, by whom, in which run, and where the letter had come from. */
  at: 'driftline.replay.at',
  by: 'driftline.replay.by',
  run: 'driftline.replay.run',
  source: 'driftline.replay.source',
  /** Of a barrier: which one. A reader that has met it has met every marker of earlier runs. */
  barrier: 'driftline.replay.barrier',
} as const

const errorPrefix = 'driftline.error.'

type Headers = Readonly<Record<string, Uint8Array>>

/** A record of the dead-letter topic, as a reader finds it. */
export type LetterRecord = {
  readonly partition: number
  readonly offset: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

/** The place that a letter's record came from. */
export type LetterSource = { readonly topic: string; readonly partition: number; readonly offset: bigint }

/** What the headers of a dead letter tell. */
export type DeadLetter = {
  readonly kind: 'letter'
  readonly partition: number
  readonly offset: bigint
  readonly code: string
  readonly message: string
  /** Null where the headers do not tell it: somebody else wrote this record. */
  readonly source: LetterSource | null
  readonly schemaId: number | null
  /** Milliseconds since the epoch. */
  readonly failedAt: number
  /** The timestamp of the record that it came from, ms since the epoch; null in letters of older workers. */
  readonly sourceTimestamp: number | null
  /** How often it has been sent back before it failed this time. */
  readonly attempts: number
  readonly truncated: boolean
}

/** Says that a letter was sent back. */
export type ReplayMarker = {
  readonly kind: 'marker'
  readonly of: LetterPlace
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly by: string
  readonly run: string
  /** As `sourceNameOf` writes it. */
  readonly source: string
}

export type ReplayBarrier = { readonly kind: 'barrier'; readonly name: string }

export type LetterPlace = { readonly partition: number; readonly offset: bigint }

/** The name of a letter for people: where it lies in the dead-letter topic. */
export const letterIdOf = ({ partition, offset }: LetterPlace): string => `${partition}-${offset}`

/** The place that an id names, or null where it is none. */
export const placeOfLetterId = (id: string): LetterPlace | null => {
  const match = /^(\d{1,9})-(\d{1,15})$/.exec(id)
  return match === null ? null : { partition: Number(match[1]), offset: BigInt(match[2]!) }
}

export const sourceNameOf = ({ topic, partition, offset }: LetterSource): string => `${topic}-${partition}-${offset}`

const utf8 = new TextDecoder()

const textOf = (headers: Headers, name: string): string | null => {
  const bytes = headers[name]
  return bytes === undefined ? null : utf8.decode(bytes)
}

/** The whole number that a header holds, or null. */
const countOf = (headers: Headers, name: string): number | null => {
  const text = textOf(headers, name)
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

const sourceOf = (headers: Headers): LetterSource | null => {
  const topic = textOf(headers, `${errorPrefix}topic`)
  const partition = countOf(headers, `${errorPrefix}partition`)
  const offset = countOf(headers, `${errorPrefix}offset`)
  if (topic === null || topic === '' || partition === null || offset === null) return null
  return { topic, partition, offset: BigInt(offset) }
}

/** What a record of the dead-letter topic is; null where it is neither a letter nor anything of a replay. */
export const readLetterRecord = (record: LetterRecord): DeadLetter | ReplayMarker | ReplayBarrier | null => {
  const { headers, partition, offset } = record
  const code = textOf(headers, `${errorPrefix}code`)
  // First: a record that was refused may carry headers of any name.
  if (code !== null) {
    return {
      kind: 'letter',
      partition,
      offset,
      code,
      message: textOf(headers, `${errorPrefix}message`) ?? '',
      source: sourceOf(headers),
      schemaId: countOf(headers, `${errorPrefix}schema_id`),
      failedAt: countOf(headers, `${errorPrefix}failed_at`) ?? 0,
      sourceTimestamp: countOf(headers, `${errorPrefix}timestamp`),
      attempts: countOf(headers, replayHeaders.count) ?? 0,
      truncated: headers[`${errorPrefix}truncated`] !== undefined,
    }
  }
  const barrier = textOf(headers, replayHeaders.barrier)
  if (barrier !== null) return { kind: 'barrier', name: barrier }
  const of = placeOfLetterId(textOf(headers, replayHeaders.of) ?? '')
  const at = countOf(headers, replayHeaders.at)
  if (of === null || at === null) return null
  return {
    kind: 'marker',
    of,
    at,
    by: textOf(headers, replayHeaders.by) ?? '',
    run: textOf(headers, replayHeaders.run) ?? '',
    source: textOf(headers, replayHeaders.source) ?? '',
  }
}

/** Who sends letters back, and when. */
export type ReplayRun = {
  readonly run: string
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

type SentRecord = {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array | string>>
}

/**
 * The record that goes back to the topic that a letter came from: its key and its own headers, the letter's id and how
 * often it has been sent now. It goes to the partition that it came from, so that it follows what has the same key.
 * @param value the letter's own bytes, or what a repair made of them
 * @param partitions of the topic; a topic that was made anew may have fewer than the source names
 */
export const resentRecord = (
  letter: DeadLetter & { readonly source: LetterSource },
  record: LetterRecord,
  { value, partitions }: { value: Uint8Array | null; partitions: number },
): SentRecord => {
  const own = Object.entries(record.headers).filter(([name]) => !name.startsWith(errorPrefix))
  return {
    topic: letter.source.topic,
    partition: letter.source.partition % partitions,
    key: record.key,
    value,
    headers: {
      ...Object.fromEntries(own),
      [replayHeaders.of]: letterIdOf(letter),
      [replayHeaders.count]: String(letter.attempts + 1),
    },
  }
}

/**
 * The record that says that a letter was sent back. It is written in the same transaction as what was sent, and lies
 * in the letter's partition, behind it: whoever reads from the letter on meets it.
 */
export const markerOf = (
  letter: DeadLetter & { readonly source: LetterSource },
  topic: string,
  { run, by, at }: ReplayRun,
): SentRecord => ({
  topic,
  partition: letter.partition,
  key: Buffer.from(letterIdOf(letter)),
  value: null,
  headers: {
    [replayHeaders.of]: letterIdOf(letter),
    [replayHeaders.at]: String(at),
    [replayHeaders.by]: by,
    [replayHeaders.run]: run,
    [replayHeaders.source]: sourceNameOf(letter.source),
  },
})

/**
 * A record without a meaning of its own. Markers of an earlier run may be committed and yet lie behind an open
 * transaction of somebody else, where no reader sees them; a run that has read its own barrier has read them all.
 */
export const barrierOf = (topic: string, partition: number, name: string, { by, at }: ReplayRun): SentRecord => ({
  topic,
  partition,
  key: Buffer.from(name),
  value: null,
  headers: { [replayHeaders.barrier]: name, [replayHeaders.at]: String(at), [replayHeaders.by]: by },
})

/** Why a letter is left out of a replay. */
export type LeftOut =
  | 'already_replayed'
  | 'too_many_attempts'
  | 'truncated'
  | 'would_fail'
  | 'repeated'
  | 'unknown_source'
  | 'dropped_by_fix'

/** What of a letter decides whether it may be sent, apart from its bytes. */
export type LetterFacts = {
  readonly truncated: boolean
  readonly attempts: number
  /** Whether its record came from a topic that a replay may write to. */
  readonly knownSource: boolean
  /** Whether it, or another letter of the same record, was sent back. */
  readonly replayed: boolean
  /** Whether a later letter tells of the same record: readers that run at least once may write two. */
  readonly repeated: boolean
}

/** Why a letter is not to be sent, or null where its bytes decide. What is `replayed` has its reason first. */
export const reasonToLeaveOut = (
  letter: LetterFacts,
  { maxAttempts, again }: { maxAttempts: number; again: boolean },
): LeftOut | null => {
  if (letter.repeated) return 'repeated'
  if (letter.replayed && !again) return 'already_replayed'
  if (letter.truncated) return 'truncated'
  if (!letter.knownSource) return 'unknown_source'
  if (letter.attempts >= maxAttempts) return 'too_many_attempts'
  return null
}
