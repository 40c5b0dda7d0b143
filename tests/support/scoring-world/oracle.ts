import { resolve } from 'node:path'
import { type CommittedRecord, readCommitted } from '../../../dev/stack/console-consumer.ts'
import { predictionIdHeader } from '../../../src/topology.ts'
import { createOffsetLedger } from './offset-ledger.ts'

/** What came of all events of a task, by Kafka's own reader. All of the last five have to be nothing. */
export type Verdict = {
  /** Records on the features. */
  readonly events: number
  readonly predictions: number
  readonly deadLetters: number
  /** Events that are in neither. */
  readonly lost: number
  /** Events that are in both, or in one of them twice. */
  readonly duplicated: number
  /** Predictions and dead letters of records that are not on the features. */
  readonly strangers: number
  /** Outputs that stand behind one of a later event of the same partition, or on another partition. */
  readonly outOfOrder: number
  /** Ids that stand on the features twice: the producer's doing. */
  readonly sentTwice: number
  /** A few of those, for a person. */
  readonly examples: readonly string[]
}

/** Ids are this letter and a number that grows: so that millions of them can be kept apart. */
export const eventId = (number: number): string => `e${number}`

const EXAMPLES = 10

/** The source of a prediction: `topic-partition-offset`. */
const sourceOf = (id: string | null | undefined): [number, number] => {
  const [, partition, offset] = /-(\d+)-(\d+)$/.exec(id ?? '') ?? []
  if (partition === undefined || offset === undefined) throw new Error(`a prediction without its id: ${id}`)
  return [Number(partition), Number(offset)]
}

/**
 * Reads all that is committed on the three topics of a task and compares.
 * @throws CommittedReadFailed, also where a transaction is still open
 */
export const judge = async (options: {
  readonly brokers: string
  readonly topics: {
    readonly features: { readonly name: string }
    readonly predictions: { readonly name: string }
    readonly deadLetters: { readonly name: string }
  }
  /** Numbers of the events whose sending was confirmed. */
  readonly confirmed: Iterable<number>
  readonly timeoutMs?: number
}): Promise<Verdict> => {
  const { brokers, topics, confirmed, timeoutMs = 120_000 } = options
  const examples: string[] = []
  const note = (text: string): void => {
    if (examples.length < EXAMPLES) examples.push(text)
  }
  const read = async (topic: { readonly name: string }, onRecord: (record: CommittedRecord) => void) =>
    (await readCommitted({ brokers, topic: topic.name, home: resolve('.driftline'), timeoutMs, onRecord })).records

  const sent = createOffsetLedger()
  const ids = createOffsetLedger()
  let sentTwice = 0
  const takeEvent = ({ partition, offset, key }: CommittedRecord): void => {
    sent.add(partition, Number(offset))
    const number = Number(key?.slice(1))
    ids.add(0, number)
    if (ids.count(0, number) === 1) return
    sentTwice += 1
    note(`event ${key} was sent twice`)
  }

  const answered = createOffsetLedger()
  let outOfOrder = 0
  /** Takes the outputs of one topic: each topic is in the order of its sources. */
  const taker = (what: string, sourceIn: (record: CommittedRecord) => [partition: number, offset: number]) => {
    const last = new Map<number, number>()
    return (record: CommittedRecord): void => {
      const [partition, offset] = sourceIn(record)
      answered.add(partition, offset)
      const before = last.get(record.partition) ?? -1
      if (offset < before || record.partition !== partition) {
        outOfOrder += 1
        note(`${what} ${record.partition}/${record.offset} is of ${partition}/${offset}, the one before of ${before}`)
      }
      last.set(record.partition, Math.max(offset, before))
    }
  }

  // Side by side: most of the time a reader starts, joins a group and waits.
  const [events, predictions, deadLetters] = await Promise.all([
    read(topics.features, takeEvent),
    read(
      topics.predictions,
      taker('prediction', ({ headers }) => sourceOf(headers[predictionIdHeader])),
    ),
    read(
      topics.deadLetters,
      taker('dead letter', ({ headers }) => [
        Number(headers['driftline.error.partition']),
        Number(headers['driftline.error.offset']),
      ]),
    ),
  ])

  let lost = 0
  let duplicated = 0
  for (const { partition, offset } of sent.entries()) {
    const count = answered.count(partition, offset)
    if (count === 1) continue
    if (count === 0) lost += 1
    else duplicated += 1
    note(`event ${partition}/${offset} has ${count} outputs`)
  }
  let strangers = 0
  for (const { partition, offset } of answered.entries()) {
    if (sent.count(partition, offset) > 0) continue
    strangers += 1
    note(`there is an output of ${partition}/${offset}, which is no event`)
  }
  for (const number of confirmed) {
    if (ids.count(0, number) > 0) continue
    lost += 1
    note(`event ${eventId(number)} was confirmed and is not on the features`)
  }
  return { events, predictions, deadLetters, lost, duplicated, strangers, outOfOrder, sentTwice, examples }
}

/** What a verdict has to say where nothing went wrong. */
export const flawless = { lost: 0, duplicated: 0, strangers: 0, outOfOrder: 0, sentTwice: 0, examples: [] } as const
