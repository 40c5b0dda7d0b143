import { Command, Option } from 'commander'
import { letterIdOf } from '../../../streams/dead-letter-replay.ts'
import { confirmed } from '../confirmed.ts'
import { actor } from '../models/with-registry.ts'
import { createProgress } from '../progress.ts'
import { formatTable } from '../table.ts'
import { withTaskOptions } from '../task-options.ts'
import { createDecideLetter } from './decide-letter.ts'
import { parseFix } from './fix-options.ts'
import { filterOf, type LetterOptions, wholeNumber, withLetterOptions } from './letter-options.ts'
import { printable, resultText } from './letter-text.ts'
import { createRepair } from './repair.ts'
import { prepareReplay, type ReplayDeps } from './replay-letters.ts'
import { type OpenedLetters, withLetters } from './with-letters.ts'

/** Letters that a trial prints one by one. */
const MAX_LISTED = 20

/** Reasons that are told apart at the end. */
const MAX_REASONS = 10

type ReplayOptions = LetterOptions & {
  fix?: string[]
  limit?: number
  dryRun?: boolean
  again?: boolean
  force?: boolean
  yes?: boolean
}

/** Counts why letters would be refused, and keeps the first lines of a trial. */
const createReport = () => {
  const reasons = new Map<string, { letters: number; message: string }>()
  const lines: string[][] = []
  return {
    onDecided: ((letter, decision) => {
      const { fault } = decision
      if (fault !== null) {
        const known = reasons.get(fault.code)
        if (known === undefined) reasons.set(fault.code, { letters: 1, message: fault.message })
        else known.letters += 1
      }
      if (lines.length >= MAX_LISTED) return
      const to = decision.kind === 'send' ? `${decision.record.topic}-${decision.record.partition}` : '-'
      const verdict =
        decision.kind === 'leave' ? 'left out' : fault === null ? 'would be accepted' : 'would be refused again'
      lines.push([letterIdOf(letter), printable(letter.code), to, verdict, printable(fault?.message ?? '')])
    }) satisfies ReplayDeps['onDecided'],
    linesText: () => formatTable([['ID', 'CODE', 'TO', 'NOW', 'WHY'], ...lines]),
    isEmpty: () => lines.length === 0,
    reasons: () => Object.fromEntries([...reasons].map(([code, { letters }]) => [code, letters])),
    reasonsText: () =>
      [...reasons]
        .slice(0, MAX_REASONS)
        .map(([code, { letters, message }]) => `  ${letters} ${code}, such as: ${printable(message)}`)
        .join('\n'),
  }
}

const repairOf = async (fixes: readonly string[] | undefined, { config, kafka, destinations }: OpenedLetters) => {
  if (fixes === undefined || fixes.length === 0) return null
  const fields = new Set([...destinations.values()].flatMap((destination) => destination.fields ?? []))
  const parsed = fixes.map((text) => parseFix(text, { fields, features: config.task.features }))
  return createRepair(parsed, kafka.schemas.writers)
}

const replay = (options: ReplayOptions): Promise<void> =>
  withLetters(options, async (opened) => {
    const { config, kafka, topic, destinations, sources } = opened
    const { task } = config.task
    const dryRun = options.dryRun === true
    const repair = await repairOf(options.fix, opened)
    const progress = createProgress()
    const report = createReport()
    const decide = createDecideLetter({ destinations, repair, force: options.force === true, admin: kafka.admin })
    const prepared = await prepareReplay(
      {
        ...{ client: kafka.client, admin: kafka.admin, task, deadLetterTopic: topic, sources, decide },
        ...{ by: actor(), now: Date.now, onDecided: report.onDecided, onNote: progress.note },
        onProgress: ({ sent, candidates }) => progress.update(`${sent} of ${candidates} letters sent`),
      },
      {
        filter: filterOf(options, kafka.topics),
        rules: { maxAttempts: options.maxAttempts, again: options.again === true },
        limit: options.limit ?? null,
      },
    )
    const asks = !dryRun && !options.yes && process.stdin.isTTY && prepared.candidates > 0
    const most = Math.min(prepared.candidates, options.limit ?? Number.POSITIVE_INFINITY)
    if (asks && !(await confirmed(`Send up to ${most} letters back to their topics?`))) {
      console.error('nothing was sent')
      return
    }
    try {
      const result = dryRun ? await prepared.tryOut() : await prepared.send()
      progress.stop()
      if (options.json) {
        const { sent, ...rest } = result
        const counts = dryRun ? { dry_run: true, would_send: sent } : { sent }
        console.log(JSON.stringify({ task, ...counts, ...rest, refusals: report.reasons() }))
        return
      }
      if (dryRun && !report.isEmpty()) console.log(`${report.linesText()}\n`)
      console.log(resultText(result, dryRun))
      const reasons = report.reasonsText()
      if (reasons !== '') console.log(`what would be refused again:\n${reasons}`)
    } finally {
      progress.stop()
    }
  })

export const replayCommand = (): Command =>
  withLetterOptions(withTaskOptions(new Command('replay')))
    .description('send letters back to the topics that they came from, each of them once')
    .option('--fix <repairs...>', 'repair events before they are sent; in the order given')
    .addOption(
      new Option('--limit <count>', 'send at most as many, the oldest of each partition').argParser(wholeNumber(1)),
    )
    .option('--dry-run', 'send nothing; say what would be sent, and whether it would be accepted now')
    .option('--force', 'send also what would be refused again')
    .option('--again', 'send also what was sent back before')
    .option('-y, --yes', 'do not ask, on a terminal, whether to begin')
    .addHelpText(
      'after',
      `
The bytes, the key and the headers of a letter go to the partition that they came from. Records and marks that they were
sent are written in one transaction: a replay that is killed, or run again, sends no letter a second time. Two at once:
the later one ends the earlier one.

Repairs read the event (JSON, or Avro as it was written), change it, and write it as Avro of the task's schema:
  --fix set:<field>=<value>     a number, a text, or null; text that reads null goes in quotes: set:color='"null"'
  --fix rename:<old>=<new>
  --fix drop:<field>
  --fix schema:<id>             read the bytes with another schema of the registry
  --fix module:<path>           an ES module of yours: export default (event, letter) => event, or null to leave it out.
                                It runs in this process, with all that this process may do

With --json the last line is {task, sent, selected, skipped: {already_replayed, too_many_attempts, truncated, would_fail,
...}, transactions, refusals}.

Examples:
  driftline dead-letters replay --code UNKNOWN_SCHEMA --since 2h --dry-run
  driftline dead-letters replay --code FEATURE_MISSING --fix set:sepal_width=3 --yes
  driftline dead-letters replay --fix rename:petalLength=petal_length --limit 10`,
    )
    .action(replay)
