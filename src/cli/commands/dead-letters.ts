import { randomUUID } from 'node:crypto'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { placeOfLetterId } from '../../../streams/dead-letter-replay.ts'
import { SchemaRegistryUnavailable } from '../../kafka/kafka-errors.ts'
import type { RawRecord } from '../../kafka/kafka-types.ts'
import { readLeniently } from '../../kafka/serde/lenient-reader.ts'
import { createDecideLetter } from '../dead-letters/decide-letter.ts'
import { filterOf, type LetterOptions, wholeNumber, withLetterOptions } from '../dead-letters/letter-options.ts'
import { createLetterScan, type LetterFilter } from '../dead-letters/letter-scan.ts'
import { codesText, lettersText } from '../dead-letters/letter-text.ts'
import { listLetters, newestLetters, summariseCodes } from '../dead-letters/list-letters.ts'
import { replayCommand } from '../dead-letters/replay-command.ts'
import { describeLetter, shownText } from '../dead-letters/show-letter.ts'
import { type OpenedLetters, withLetters } from '../dead-letters/with-letters.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'

const DEFAULT_LISTED = 50
const DEFAULT_SHOWN_BYTES = 512

const everyLetter: LetterFilter = { codes: null, sinceMs: null, untilMs: null, topics: null }

/** The id of the event or label within, for a list: what cannot be read has none. */
const eventIdReader = ({ kafka }: OpenedLetters): ((record: RawRecord) => Promise<string | null>) => {
  // A registry that does not answer is no reason to hide the letters, nor to wait for it at each of them.
  let isRegistryDown = false
  return async ({ value }) => {
    if (isRegistryDown) return null
    const read = await readLeniently(value, { writers: kafka.schemas.writers }).catch((error: unknown) => {
      if (!(error instanceof SchemaRegistryUnavailable)) throw error
      isRegistryDown = true
      return null
    })
    const id = read?.ok === true ? read.members['event_id'] : null
    return typeof id === 'string' ? id : null
  }
}

type ListOptions = LetterOptions & { limit: number; byCode?: boolean }

const list = (options: ListOptions): Promise<void> =>
  withLetters(options, async (opened) => {
    const { config, kafka, topic, sources } = opened
    const rules = { maxAttempts: options.maxAttempts, again: false }
    const filter = filterOf(options, kafka.topics)
    const { client, admin } = kafka
    const scan = createLetterScan({ client, admin, topic, filter, ownRun: randomUUID(), sources })
    await scan.advance()
    const codes = summariseCodes(scan.index, rules)
    const states = options.byCode ? [] : newestLetters(scan.index, rules, options.limit)
    const letters = await listLetters({ client, topic, states, eventIdOf: eventIdReader(opened) })
    const total = scan.index.size()
    if (options.json) {
      const { task } = config.task
      console.log(JSON.stringify({ task, total, shown: letters.length, by_code: codes, letters }))
      return
    }
    if (total === 0) {
      console.log(`no dead letters in ${topic}${isFiltered(filter) ? ' that fit' : ''}`)
      return
    }
    if (letters.length > 0) console.log(`${lettersText(letters)}\n`)
    if (!options.byCode && total > letters.length) console.log(`the newest ${letters.length} of ${total} (--limit)\n`)
    console.log(codesText(codes))
  })

const isFiltered = (filter: LetterFilter): boolean => Object.values(filter).some((value) => value !== null)

type ShowOptions = TaskOptions & { bytes: number }

const letterPlace = (id: string): { partition: number; offset: bigint } => {
  const place = placeOfLetterId(id)
  if (place === null) throw new InvalidArgumentError('a letter is named <partition>-<offset>, as "list" prints it.')
  return place
}

const show = (place: { partition: number; offset: bigint }, options: ShowOptions): Promise<void> =>
  withLetters(options, async ({ config, kafka, topic, destinations, sources }) => {
    const { client, admin } = kafka
    const scan = createLetterScan({
      ...{ client, admin, topic, filter: everyLetter, ownRun: randomUUID(), sources, from: place },
    })
    await scan.advance()
    const described = await describeLetter(
      {
        ...{ client, admin, topic, scan, writers: kafka.schemas.writers },
        rules: { maxAttempts: Number.POSITIVE_INFINITY, again: false },
        decide: createDecideLetter({ destinations, repair: null, force: false, admin }),
      },
      { partition: place.partition, offset: Number(place.offset) },
      options.bytes,
    )
    if (!options.json) console.log(shownText(described))
    else {
      const { dump: _, ...result } = described
      console.log(JSON.stringify({ task: config.task.task, ...result }))
    }
  })

export const deadLettersCommand = (): Command => {
  const command = new Command('dead-letters').description(
    'look at the records that could not be handled, repair them and send them back',
  )

  withLetterOptions(withTaskOptions(command.command('list')))
    .description('one line for each letter, and how many there are of each code')
    .addOption(
      new Option('--limit <count>', 'the newest ones, at most as many')
        .argParser(wholeNumber(0))
        .default(DEFAULT_LISTED),
    )
    .option('--by-code', 'only how many there are of each code')
    .addHelpText(
      'after',
      `
A letter is named <partition>-<offset>, its place in <task>.dead-letters. What each code means stands in docs/messages.md.
A time is ISO-8601 with a zone, a date, or how long ago: 90s, 15m, 2h, 7d.

Examples:
  driftline dead-letters list --since 2h
  driftline dead-letters list --code BAD_AVRO UNKNOWN_SCHEMA --limit 500 --json
  driftline dead-letters list --by-code`,
    )
    .action(list)

  withTaskOptions(command.command('show'))
    .description('all that is known of one letter, and what a replay would do with it')
    .addArgument(new Argument('<letter>', 'its id, as "list" prints it').argParser(letterPlace))
    .addOption(
      new Option('--bytes <count>', 'how many bytes of the value are shown')
        .argParser(wholeNumber(0))
        .default(DEFAULT_SHOWN_BYTES),
    )
    .addHelpText(
      'after',
      `
Examples:
  driftline dead-letters show 2-1841
  driftline dead-letters show 2-1841 --bytes 4096 --json`,
    )
    .action(show)

  command.addCommand(replayCommand())
  return command
}
