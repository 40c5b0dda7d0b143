import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TaskTopics } from '../../../streams/topics.ts'
import { ConfigInvalid } from '../../errors.ts'
import type { TaskOptions } from '../task-options.ts'
import { readTimeOption } from '../time-option.ts'
import type { LetterFilter } from './letter-scan.ts'

/** Letters of more attempts are left out: what fails so often is a loop. */
const DEFAULT_MAX_ATTEMPTS = 3

/** What of the letters a command is about. */
export type LetterOptions = TaskOptions & {
  code?: string[]
  since?: number
  until?: number
  topic?: string
  maxAttempts: number
}

/** The sign of `-15m` may be left out, as everywhere. */
const time = (text: string): number => readTimeOption(text.replace(/^-/, ''), Date.now())

export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`it has to be a whole number from ${least} on.`)
  }

/** Adds the options that choose letters. */
export const withLetterOptions = (command: Command): Command =>
  command
    .option('--code <codes...>', 'only letters with one of these codes')
    .addOption(new Option('--since <time>', 'only letters that failed then or later').argParser(time))
    .addOption(new Option('--until <time>', 'only letters that failed then or earlier').argParser(time))
    .option('--topic <source>', 'only letters of this source: features, labels, predictions, or the name of a topic')
    .addOption(
      new Option('--max-attempts <count>', 'leave out letters that were sent back as often, and failed again')
        .argParser(wholeNumber(1))
        .default(DEFAULT_MAX_ATTEMPTS),
    )

/** @throws ConfigInvalid */
export const filterOf = (options: LetterOptions, topics: TaskTopics): LetterFilter => {
  const { code, since, until, topic } = options
  if (since !== undefined && until !== undefined && since > until) {
    throw new ConfigInvalid('--since lies behind --until: no letter can be meant')
  }
  const short: Readonly<Record<string, { readonly name: string }>> = topics
  return {
    codes:
      code === undefined ? null : new Set(code.flatMap((text) => text.split(',')).map((text) => text.toUpperCase())),
    sinceMs: since ?? null,
    untilMs: until ?? null,
    topics: topic === undefined ? null : new Set([Object.hasOwn(short, topic) ? short[topic]!.name : topic]),
  }
}
