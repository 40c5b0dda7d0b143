import { setTimeout as pause } from 'node:timers/promises'
import { barrierOf, type DeadLetter, markerOf, type ReplayRun } from '../../../streams/dead-letter-replay.ts'
import type { OutgoingRecord, TransactionalProducer } from '../../kafka/kafka-types.ts'
import { wireBytes } from '../../kafka/record-size.ts'
import type { LetterIndex } from './letter-index.ts'
import type { LetterScan } from './letter-scan.ts'
import { ReplayBlocked } from './replay-errors.ts'

/** What one transaction holds at most: large enough to be few, small enough to be done in a moment. */
const TRANSACTION_LETTERS = 500
const TRANSACTION_BYTES = 4_000_000

const LOOK_EVERY_MS = 100

/** The bytes of a batch are its reader's again once it was handled. */
const owned = (bytes: Uint8Array | null): Uint8Array | null => (bytes === null ? null : Buffer.from(bytes))

const ownedHeaders = (headers: OutgoingRecord['headers']): NonNullable<OutgoingRecord['headers']> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : Buffer.from(value),
    ]),
  )

/** Sends letters in transactions, each with the marker of each of its letters. */
export type ReplayTransactions = {
  readonly add: (
    letter: DeadLetter & { source: NonNullable<DeadLetter['source']> },
    record: OutgoingRecord,
  ) => Promise<void>
  /** Letters that were committed or wait for it. */
  readonly taken: () => number
  readonly flush: () => Promise<void>
}

export const createReplayTransactions = (options: {
  readonly producer: TransactionalProducer
  readonly deadLetterTopic: string
  readonly index: LetterIndex
  readonly run: Omit<ReplayRun, 'at'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told after each commit. */
  readonly onCommitted: (letters: number) => void
}): ReplayTransactions => {
  const { producer, deadLetterTopic, index, run, now, onCommitted } = options
  let letters: (DeadLetter & { source: NonNullable<DeadLetter['source']> })[] = []
  let records: OutgoingRecord[] = []
  let bytes = 0
  let taken = 0

  const flush = async (): Promise<void> => {
    if (letters.length === 0) return
    const at = now()
    await producer.commit([...records, ...letters.map((letter) => markerOf(letter, deadLetterTopic, { ...run, at }))])
    for (const { partition, offset } of letters) index.markSent({ partition, offset: Number(offset) }, at)
    onCommitted(letters.length)
    letters = []
    records = []
    bytes = 0
  }

  return {
    add: async (letter, record) => {
      letters.push(letter)
      records.push({
        ...record,
        key: owned(record.key),
        value: owned(record.value),
        headers: ownedHeaders(record.headers),
      })
      bytes += wireBytes(record)
      taken += 1
      if (letters.length >= TRANSACTION_LETTERS || bytes >= TRANSACTION_BYTES) await flush()
    },
    taken: () => taken,
    flush,
  }
}

/**
 * Writes a barrier into each of the partitions and reads up to it: after that the scan knows of all that was sent
 * before the producer was opened.
 * @throws ReplayBlocked, SendFailed, CommitUncertain, ProducerFenced
 */
export const passBarrier = async (options: {
  readonly producer: TransactionalProducer
  readonly scan: LetterScan
  readonly topic: string
  readonly partitions: readonly number[]
  readonly name: string
  readonly run: ReplayRun
  readonly timeoutMs: number
}): Promise<void> => {
  const { producer, scan, topic, partitions, name, run, timeoutMs } = options
  await producer.commit(partitions.map((partition) => barrierOf(topic, partition, name, run)))
  const deadline = performance.now() + timeoutMs
  for (;;) {
    await scan.advance()
    const hidden = partitions.filter((partition) => !scan.hasBarrier(partition, name))
    if (hidden.length === 0) return
    if (performance.now() > deadline) {
      throw new ReplayBlocked(
        `what lies behind an open transaction in partition ${hidden.join(', ')} of ${topic} could not be read for ${Math.round(timeoutMs / 1000)} s, and earlier replays may have left markers there; nothing was sent. See docs/runbooks/hanging-transaction.md`,
      )
    }
    await pause(LOOK_EVERY_MS)
  }
}
