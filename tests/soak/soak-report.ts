import type { Verdict } from '../support/scoring-world/oracle.ts'
import type { SoakOptions } from './soak-options.ts'
import type { OwnEnd } from './worker-crew.ts'

/** What a soak has to tell. */
export type SoakResult = {
  readonly options: SoakOptions
  readonly machine: string
  readonly versions: string
  readonly faultSeconds: number
  /** How often each kind was put in, and the longest time in which a partition was not committed after it. */
  readonly faults: readonly { readonly name: string; readonly times: number; readonly longestPauseMs: number }[]
  /** Null where counting was not reached. */
  readonly verdict: Verdict | null
  /** Events whose sending was begun, and those of which the producer never knew whether they arrived. */
  readonly sent: number
  readonly uncertain: number
  readonly openTransactions: readonly string[]
  readonly workerStarts: number
  readonly ownEnds: readonly OwnEnd[]
  readonly mostResidentBytes: number
  readonly eldest: { readonly ageSeconds: number; readonly firstBytes: number; readonly lastBytes: number } | null
  /** What went wrong; nothing where the soak is passed. */
  readonly violations: readonly string[]
}

/** Above that a worker has grown, whatever it was doing. */
export const MOST_RESIDENT_BYTES = 450 * 2 ** 20

const REASON = /^driftline: (?!an unexpected error)/m

/** What of a result must not be. */
export const violationsOf = (result: Omit<SoakResult, 'violations'>): string[] => {
  const { verdict, openTransactions, ownEnds, mostResidentBytes } = result
  const counts = verdict === null ? [] : (['lost', 'duplicated', 'strangers', 'outOfOrder', 'sentTwice'] as const)
  return [
    ...(verdict === null ? ['what was committed could not be counted'] : []),
    ...counts.filter((name) => verdict![name] > 0).map((name) => `${name}: ${verdict![name]}`),
    ...(verdict?.examples ?? []),
    ...openTransactions.map((transaction) => `still open at the end: ${transaction}`),
    ...ownEnds
      .filter(({ code, reason }) => code === null || !REASON.test(reason))
      .map(({ worker, code, reason }) => `${worker} ended by itself with ${code} and no clear reason: ${reason}`),
    ...(mostResidentBytes > MOST_RESIDENT_BYTES ? [`a worker took ${mebibytes(mostResidentBytes)}`] : []),
  ]
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
const count = (number: number): string => number.toLocaleString('en-US')
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

/** The result as a part of a Markdown document. */
export const reportOf = (result: SoakResult): string => {
  const { options, verdict, faults, eldest, violations, ownEnds } = result
  const times = faults.reduce((sum, fault) => sum + fault.times, 0)
  const reasons = ownEnds.map(({ reason }) => /^driftline: (.*)$/m.exec(reason)?.[1] ?? 'no reason')
  return [
    `${violations.length === 0 ? 'Passed' : '**Failed**'}: client ${options.client}, seed ${options.seed}, ` +
      `${Math.round(result.faultSeconds / 60)} minutes of faults, ${options.workers} workers, ` +
      `${count(options.eventsPerSecond)} events/s asked for. ${result.machine}. ${result.versions}.`,
    '',
    row('what', 'count'),
    row('---', '---:'),
    row('faults', count(times)),
    row('events', verdict === null ? 'not counted' : count(verdict.events)),
    row('predictions', verdict === null ? 'not counted' : count(verdict.predictions)),
    row('dead letters', verdict === null ? 'not counted' : count(verdict.deadLetters)),
    row('lost', verdict?.lost ?? 'not counted'),
    row('duplicated', verdict?.duplicated ?? 'not counted'),
    row('out of order', verdict?.outOfOrder ?? 'not counted'),
    row('outputs of no event', verdict?.strangers ?? 'not counted'),
    row('transactions left open', result.openTransactions.length),
    row('sends whose reply never came (counted as they lie on the topic)', count(result.uncertain)),
    row('starts of workers', count(result.workerStarts)),
    row('workers that ended by themselves, for a stated reason', ownEnds.length),
    row('most resident memory of a worker', mebibytes(result.mostResidentBytes)),
    ...(eldest === null
      ? []
      : [
          row(
            `memory of the eldest worker, 30 s after its start and ${count(eldest.ageSeconds)} s after it`,
            `${mebibytes(eldest.firstBytes)}, ${mebibytes(eldest.lastBytes)}`,
          ),
        ]),
    '',
    row('fault', 'times', 'longest wait of a partition'),
    row('---', '---:', '---:'),
    ...faults
      .filter(({ times: often }) => often > 0)
      .map(({ name, times: often, longestPauseMs }) => row(name, often, `${(longestPauseMs / 1000).toFixed(1)} s`)),
    ...(reasons.length === 0
      ? []
      : ['', 'Why workers ended by themselves:', '', ...reasons.map((text) => `- ${text}`)]),
    ...(violations.length === 0 ? [] : ['', 'What went wrong:', '', ...violations.map((text) => `- ${text}`)]),
    '',
  ].join('\n')
}

export const reportBegin = (client: string): string => `<!-- soak ${client}: begin -->`
export const reportEnd = (client: string): string => `<!-- soak ${client}: end -->`

/** A document with the part of this client written anew. @throws Error where the document has no such part */
export const withReport = (document: string, client: string, report: string): string => {
  const [begin, end] = [document.indexOf(reportBegin(client)), document.indexOf(reportEnd(client))]
  if (begin < 0 || end < begin) throw new Error(`the document has no part from ${reportBegin(client)} to its end`)
  const from = begin + reportBegin(client).length
  return `${document.slice(0, from)}\n\n${report}\n${document.slice(end)}`
}
