import { type DeadLetter, type LeftOut, letterIdOf, readLetterRecord } from '../../../streams/dead-letter-replay.ts'
import type { KafkaClient, OffsetRange, RawRecord } from '../../kafka/kafka-types.ts'
import { recordAt } from '../../kafka/record-batch.ts'
import type { LetterIndex, LetterState, ReplayRules } from './letter-index.ts'

/** Whether a letter may be sent back: `new`, or why not. */
export type StateName = 'new' | LeftOut

/** One letter, as `--json` prints it. Times are ms since the epoch. */
export type ListedLetter = {
  readonly id: string
  readonly failed_at: number
  readonly code: string
  readonly message: string
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number } | null
  /** Null where it cannot be read. */
  readonly event_id: string | null
  /** Of the value as it lies there; null where there is none. */
  readonly bytes: number | null
  readonly attempts: number
  readonly state: StateName
  readonly replayed_at: number | null
}

/** How many letters of a code there are, by their state. */
export type CodeSummary = {
  readonly code: string
  readonly letters: number
  readonly states: Readonly<Partial<Record<StateName, number>>>
  readonly first_failed_at: number
  readonly last_failed_at: number
}

const stateNameOf = ({ reason }: LetterState): StateName => reason ?? 'new'

/** The letters by code, the most frequent code first. */
export const summariseCodes = (index: LetterIndex, rules: ReplayRules): CodeSummary[] => {
  type Sum = { code: string; letters: number; states: Partial<Record<StateName, number>>; first: number; last: number }
  const sums = new Map<string, Sum>()
  for (const state of index.states(rules)) {
    const { code, failedAt } = state
    const sum = sums.get(code) ?? { code, letters: 0, states: {}, first: failedAt, last: failedAt }
    const name = stateNameOf(state)
    sum.letters += 1
    sum.states[name] = (sum.states[name] ?? 0) + 1
    sum.first = Math.min(sum.first, failedAt)
    sum.last = Math.max(sum.last, failedAt)
    sums.set(code, sum)
  }
  return [...sums.values()]
    .sort((a, b) => b.letters - a.letters || (a.code < b.code ? -1 : 1))
    .map(({ first, last, ...sum }) => ({ ...sum, first_failed_at: first, last_failed_at: last }))
}

const byTime = (a: LetterState, b: LetterState): number =>
  a.failedAt - b.failedAt || a.partition - b.partition || a.offset - b.offset

/** The newest letters of an index, oldest first. */
export const newestLetters = (index: LetterIndex, rules: ReplayRules, limit: number): LetterState[] => {
  let kept: LetterState[] = []
  for (const state of index.states(rules)) {
    kept.push(state)
    // Of millions only the last few are wanted: cut now and then instead of keeping all.
    if (kept.length >= 2 * limit + 1000) kept = kept.sort(byTime).slice(-limit)
  }
  return limit === 0 ? [] : kept.sort(byTime).slice(-limit)
}

/** Reads letters of which the place is known, in any order. */
export const readLetters = async (
  client: Pick<KafkaClient, 'readRanges'>,
  topic: string,
  places: readonly { readonly partition: number; readonly offset: number }[],
  onLetter: (letter: DeadLetter, record: RawRecord) => Promise<void> | void,
): Promise<void> => {
  const wanted = new Map<number, Set<number>>()
  const ranges = new Map<number, OffsetRange>()
  for (const { partition, offset } of places) {
    const offsets = wanted.get(partition) ?? new Set()
    wanted.set(partition, offsets.add(offset))
    const range = ranges.get(partition)
    const [from, to] = [BigInt(offset), BigInt(offset) + 1n]
    ranges.set(partition, {
      from: range !== undefined && range.from < from ? range.from : from,
      to: range !== undefined && range.to > to ? range.to : to,
    })
  }
  if (ranges.size === 0) return
  await client.readRanges({
    topic,
    ranges,
    process: async (batch) => {
      for (let i = 0; i < batch.length; i++) {
        if (wanted.get(batch.partition)?.has(batch.offsets[i]!) !== true) continue
        const record = recordAt(batch, i)
        const letter = readLetterRecord(record)
        if (letter?.kind === 'letter') await onLetter(letter, record)
      }
    },
  })
}

/** @param eventIdOf the id of the event within, or null where it cannot be read */
export const listLetters = async (options: {
  readonly client: Pick<KafkaClient, 'readRanges'>
  readonly topic: string
  readonly states: readonly LetterState[]
  readonly eventIdOf: (record: RawRecord) => Promise<string | null>
}): Promise<ListedLetter[]> => {
  const { client, topic, states, eventIdOf } = options
  const byId = new Map(states.map((state) => [`${state.partition}-${state.offset}`, state]))
  const listed = new Map<string, ListedLetter>()
  await readLetters(client, topic, states, async (letter, record) => {
    const { source } = letter
    const id = letterIdOf(letter)
    const state = byId.get(id)
    listed.set(id, {
      id,
      failed_at: letter.failedAt,
      code: letter.code,
      message: letter.message,
      source: source === null ? null : { ...source, offset: Number(source.offset) },
      event_id: await eventIdOf(record),
      bytes: record.value?.byteLength ?? null,
      attempts: letter.attempts,
      state: state === undefined ? 'new' : stateNameOf(state),
      replayed_at: state?.replayedAt ?? null,
    })
  })
  return [...byId.keys()].map((id) => listed.get(id)).filter((letter) => letter !== undefined)
}
