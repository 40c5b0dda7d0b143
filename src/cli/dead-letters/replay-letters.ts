import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type DeadLetter, type LeftOut, readLetterRecord } from '../../../streams/dead-letter-replay.ts'
import { AppError } from '../../errors.ts'
import { backoffMs } from '../../kafka/backoff.ts'
import { CommitUncertain, ProducerFenced } from '../../kafka/kafka-errors.ts'
import type { KafkaAdmin, KafkaClient, TransactionalProducer } from '../../kafka/kafka-types.ts'
import { recordAt } from '../../kafka/record-batch.ts'
import type { DecideLetter, Decision } from './decide-letter.ts'
import type { LetterIndex, ReplayRules } from './letter-index.ts'
import { createLetterScan, type LetterFilter, type LetterScan } from './letter-scan.ts'
import { ReplayFenced } from './replay-errors.ts'
import { createReplayTransactions, passBarrier } from './replay-transactions.ts'

/** After a transaction with an unknown outcome the id is opened again, and what is committed is read. */
const MAX_ROUNDS = 5

/** Letters that are read in one go: a command with a limit should not read the rest. */
const LETTERS_PER_READ = 2000

/** A replay that was killed holds up whoever reads behind its open transaction for no longer. */
const TRANSACTION_TIMEOUT_MS = 10_000

const BARRIER_TIMEOUT_MS = 60_000

/** `gone`: the topic's retention took the letter before it could be sent. */
export type Skipped = Readonly<Record<LeftOut | 'beyond_limit' | 'gone', number>>

export type ReplayResult = {
  readonly selected: number
  readonly sent: number
  readonly skipped: Skipped
  readonly transactions: number
}

export type ReplayPlan = {
  readonly filter: LetterFilter
  readonly rules: ReplayRules
  /** Letters to send at most; null for all. */
  readonly limit: number | null
}

export type ReplayDeps = {
  readonly client: Pick<KafkaClient, 'readRanges' | 'transactionalProducer'>
  readonly admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt'>
  readonly task: string
  readonly deadLetterTopic: string
  /** Topics that letters may be sent back to. */
  readonly sources: ReadonlySet<string>
  readonly decide: DecideLetter
  /** Who replays, for the markers. */
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told of each letter whose bytes were looked at. */
  readonly onDecided?: (letter: DeadLetter, decision: Decision) => void
  readonly onProgress?: (progress: { readonly sent: number; readonly candidates: number }) => void
  readonly onNote?: (text: string) => void
  readonly barrierTimeoutMs?: number
  /** Waits before the next round. */
  readonly wait?: (durationMs: number) => Promise<unknown>
}

export type PreparedReplay = {
  /** Letters that the filter chose. */
  readonly selected: number
  /** How many of them may be sent as far as their headers tell. */
  readonly candidates: number
  /** Looks at the bytes of the candidates and sends nothing. */
  readonly tryOut: () => Promise<ReplayResult>
  /** @throws ReplayFenced, ReplayBlocked, SendFailed, CommitUncertain, SchemaRegistryUnavailable, KafkaUnavailable */
  readonly send: () => Promise<ReplayResult>
}

type Sourced = DeadLetter & { readonly source: NonNullable<DeadLetter['source']> }

const candidatesOf = (index: LetterIndex, rules: ReplayRules): Map<number, number[]> => {
  const offsets = new Map<number, number[]>()
  for (const { partition, offset, reason } of index.states(rules)) {
    if (reason !== null) continue
    const known = offsets.get(partition)
    if (known === undefined) offsets.set(partition, [offset])
    else known.push(offset)
  }
  return offsets
}

/** Whether another round may get further: it opens the id anew, and first reads what is committed. */
const mayGoOn = (error: unknown): error is AppError =>
  error instanceof CommitUncertain || (error instanceof AppError && error.retryable)

const countOf = (candidates: ReadonlyMap<number, readonly number[]>): number =>
  [...candidates.values()].reduce((sum, offsets) => sum + offsets.length, 0)

/** What became of every letter. */
const resultOf = (index: LetterIndex, { rules, limit }: ReplayPlan, transactions: number): ReplayResult => {
  const skipped = {
    ...{ already_replayed: 0, too_many_attempts: 0, truncated: 0, would_fail: 0, repeated: 0 },
    ...{ unknown_source: 0, dropped_by_fix: 0, beyond_limit: 0, gone: 0 },
  }
  let selected = 0
  let sent = 0
  let left = 0
  for (const { reason, own } of index.states(rules)) {
    selected += 1
    if (own && reason !== 'repeated') sent += 1
    else if (reason === null) left += 1
    else skipped[reason] += 1
  }
  skipped[limit !== null && sent >= limit ? 'beyond_limit' : 'gone'] = left
  return { selected, sent, skipped, transactions }
}

/**
 * Finds the letters to send back, and sends each of them once, whatever happens on the way: the records and a marker
 * for each letter are written in one transaction under an id that only one replay of a task can hold. After opening it
 * (which ends whatever an earlier one left open) the markers are read behind a barrier of our own; what has none is
 * sent. The same again after a transaction whose outcome is not known.
 */
export const prepareReplay = async (deps: ReplayDeps, plan: ReplayPlan): Promise<PreparedReplay> => {
  const { client, deadLetterTopic, decide, onDecided, onProgress, onNote, now, wait = pause } = deps
  const { rules, limit } = plan
  const run = { run: randomUUID(), by: deps.by }
  const scan: LetterScan = createLetterScan({
    ...{ client, admin: deps.admin, topic: deadLetterTopic, sources: deps.sources },
    ...{ filter: plan.filter, ownRun: run.run },
  })
  await scan.advance()
  const { index } = scan
  let transactions = 0

  /** Hands out the candidates with what was decided about them, until `enough`. */
  const decideAll = async (
    take: (letter: Sourced, decision: Decision & { kind: 'send' }) => Promise<void> | void,
    enough: () => boolean,
  ): Promise<void> => {
    const decideOne = async (record: ReturnType<typeof recordAt>): Promise<void> => {
      const offset = Number(record.offset)
      if (enough() || index.stateOf(record.partition, offset, rules)?.reason !== null) return
      const letter = readLetterRecord(record)
      if (letter?.kind !== 'letter' || letter.source === null) return
      const decision = await decide(letter, record)
      onDecided?.(letter, decision)
      if (decision.kind === 'leave') index.refuse({ partition: record.partition, offset }, decision.reason)
      else await take({ ...letter, source: letter.source }, decision)
    }
    for (const [partition, offsets] of candidatesOf(index, rules)) {
      for (let first = 0; first < offsets.length && !enough(); first += LETTERS_PER_READ) {
        const last = Math.min(first + LETTERS_PER_READ, offsets.length) - 1
        const range = { from: BigInt(offsets[first]!), to: BigInt(offsets[last]!) + 1n }
        await client.readRanges({
          topic: deadLetterTopic,
          ranges: new Map([[partition, range]]),
          process: async (batch) => {
            for (let i = 0; i < batch.length; i++) await decideOne(recordAt(batch, i))
          },
        })
      }
    }
  }

  const sendWith = async (producer: TransactionalProducer, round: number): Promise<void> => {
    await passBarrier({
      ...{ producer, scan, topic: deadLetterTopic, partitions: [...candidatesOf(index, rules).keys()] },
      ...{ name: `${run.run}/${round}`, run: { ...run, at: now() } },
      timeoutMs: deps.barrierTimeoutMs ?? BARRIER_TIMEOUT_MS,
    })
    const before = resultOf(index, plan, 0).sent
    const candidates = before + countOf(candidatesOf(index, rules))
    let sent = before
    const sending = createReplayTransactions({
      ...{ producer, deadLetterTopic, index, run, now },
      onCommitted: (letters) => {
        transactions += 1
        sent += letters
        onProgress?.({ sent, candidates })
      },
    })
    const enough = (): boolean => limit !== null && before + sending.taken() >= limit
    await decideAll((letter, { record }) => sending.add(letter, record), enough)
    await sending.flush()
  }

  const oneRound = async (round: number): Promise<void> => {
    const producer = await client.transactionalProducer({
      transactionalId: `${deps.task}.dead-letters.replay`,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
    })
    try {
      await sendWith(producer, round)
    } catch (error) {
      if (!(error instanceof ProducerFenced)) throw error
      const { sent } = resultOf(index, plan, transactions)
      throw new ReplayFenced(
        `another replay of ${deps.task} has begun and goes on with what is left; this one sent ${sent} letters. Let one end before the next is started`,
        { cause: error },
      )
    } finally {
      await producer.close().catch(() => undefined)
    }
  }

  return {
    selected: index.size(),
    candidates: countOf(candidatesOf(index, rules)),

    tryOut: async () => {
      let taken = 0
      await decideAll(
        (letter) => {
          taken += 1
          index.markSent({ partition: letter.partition, offset: Number(letter.offset) }, now())
        },
        () => limit !== null && taken >= limit,
      )
      return resultOf(index, plan, 0)
    },

    send: async () => {
      for (let round = 1; countOf(candidatesOf(index, rules)) > 0; round++) {
        try {
          await oneRound(round)
          break
        } catch (error) {
          if (!mayGoOn(error) || round === MAX_ROUNDS) throw error
          onNote?.(`${error.message}; opening the replay again`)
          await wait(backoffMs(round, Math.random(), { firstMs: 500, maxMs: 5000 }))
          // What of the last transaction was committed is found behind the next barrier.
        }
      }
      return resultOf(index, plan, transactions)
    },
  }
}
