import { formatTable } from '../table.ts'
import type { CodeSummary, ListedLetter, StateName } from './list-letters.ts'
import type { ReplayResult, Skipped } from './replay-letters.ts'

const MAX_EVENT_ID_CHARACTERS = 40

const isoTime = (ms: number): string => new Date(ms).toISOString()

/** Names come from whoever produces: nothing in them may move a terminal's cursor. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is replaced.
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, '\ufffd')

const cut = (text: string, characters: number): string =>
  text.length > characters ? `${text.slice(0, characters)}...` : text

const stateTexts: Readonly<Record<StateName, string>> = {
  new: 'new',
  already_replayed: 'replayed',
  too_many_attempts: 'sent too often',
  truncated: 'truncated',
  would_fail: 'would fail',
  repeated: 'told twice',
  unknown_source: 'unknown source',
  dropped_by_fix: 'left out by the fix',
}

export const stateText = (state: StateName, replayedAt: number | null): string =>
  `${stateTexts[state]}${replayedAt === null ? '' : ` ${isoTime(replayedAt)}`}`

export const sourceText = (source: ListedLetter['source']): string =>
  source === null ? '-' : printable(`${source.topic}-${source.partition}-${source.offset}`)

export const lettersText = (letters: readonly ListedLetter[]): string =>
  formatTable([
    ['ID', 'FAILED AT', 'CODE', 'SOURCE', 'EVENT', 'BYTES', 'STATE'],
    ...letters.map((letter) => [
      ...[letter.id, isoTime(letter.failed_at), printable(letter.code), sourceText(letter.source)],
      letter.event_id === null ? '-' : printable(cut(letter.event_id, MAX_EVENT_ID_CHARACTERS)),
      letter.bytes === null ? '-' : String(letter.bytes),
      stateText(letter.state, letter.replayed_at),
    ]),
  ])

export const codesText = (codes: readonly CodeSummary[]): string =>
  formatTable([
    ['CODE', 'LETTERS', 'NEW', 'REPLAYED', 'OTHER', 'FIRST', 'LAST'],
    ...codes.map(({ code, letters, states, first_failed_at, last_failed_at }) => {
      const { new: fresh = 0, already_replayed: replayed = 0 } = states
      const counts = [letters, fresh, replayed, letters - fresh - replayed].map(String)
      return [printable(code), ...counts, isoTime(first_failed_at), isoTime(last_failed_at)]
    }),
  ])

const skippedTexts: Readonly<Record<keyof Skipped, string>> = {
  already_replayed: 'were sent back before (--again sends them once more)',
  too_many_attempts: 'have failed too often (--max-attempts)',
  truncated: 'were cut to fit and are no whole records: the producer has to send these anew',
  would_fail: 'would be refused again (--force sends them all the same)',
  repeated: 'tell of a record that a later letter tells of, too',
  unknown_source: "did not come from one of the task's topics",
  dropped_by_fix: 'were left out by the fix',
  beyond_limit: 'stand behind the limit',
  gone: "are gone with the topic's retention",
}

/** The result of a replay for people. */
export const resultText = ({ selected, sent, skipped, transactions }: ReplayResult, dryRun: boolean): string => {
  const left = Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `  ${count} ${skippedTexts[reason as keyof typeof skippedTexts]}`)
  const done = dryRun
    ? `${sent} of ${selected} letters would be sent back`
    : `sent back ${sent} of ${selected} letters in ${transactions} ${transactions === 1 ? 'transaction' : 'transactions'}`
  return [done, ...left].join('\n')
}
