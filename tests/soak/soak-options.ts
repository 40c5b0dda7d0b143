import { parseArgs } from 'node:util'
import { defaultKafkaClient, type KafkaClientName, kafkaClientNames } from '../../src/config/kafka-schema.ts'

export type SoakOptions = {
  /** How long faults are put in; starting, draining and counting come on top. */
  readonly minutes: number
  readonly seed: number
  readonly client: KafkaClientName
  readonly workers: number
  readonly eventsPerSecond: number
  /** The document whose marked part is written anew; null to print only. */
  readonly report: string | null
  /** Kinds of faults, by parts of their names; all of them where nothing is named. */
  readonly only: readonly string[]
  /** Shows what the workers write to their logs. */
  readonly verbose: boolean
}

export const usage = `usage: npm run soak -- [--minutes 20] [--seed 1] [--client ${kafkaClientNames.join('|')}]
       [--workers 2] [--rate 1500] [--only <part of a fault's name>]... [--report docs/reliability.md] [--verbose]`

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} is "${text}"; it has to be a number above 0\n${usage}`)
  return value
}

/** @throws Error that names the option */
export const readSoakOptions = (args: readonly string[]): SoakOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      client: { type: 'string', default: defaultKafkaClient },
      workers: { type: 'string', default: '2' },
      rate: { type: 'string', default: '1500' },
      only: { type: 'string', multiple: true, default: [] },
      report: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const client = kafkaClientNames.find((name) => name === values.client)
  if (client === undefined) {
    throw new Error(`--client is "${values.client}"; known: ${kafkaClientNames.join(', ')}\n${usage}`)
  }
  return {
    minutes: positive('minutes', values.minutes),
    seed: positive('seed', values.seed),
    client,
    workers: positive('workers', values.workers),
    eventsPerSecond: positive('rate', values.rate),
    report: values.report ?? null,
    only: values.only,
    verbose: values.verbose,
  }
}
