import { addOffsetsToTxnV1, addPartitionsToTxnV1, endTxnV1, initProducerIdV3 } from '@platformatic/kafka'
import { createCommitPace } from '../commit-pace.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'
import type { StepObserver, TransactionStep } from '../transaction-steps.ts'
import { type CountingIdentity, countingIdentity } from '../wire/counting-identity.ts'
import type { EncodedBatch } from '../wire/produce-protocol.ts'
import { type BatchSink, finishAll } from '../wire/record-sink.ts'
import { callWire } from './call-wire.ts'
import type { Cluster } from './cluster.ts'
import type { ConnectionPool } from './connections.ts'
import { createCoordinatorPort } from './coordinator-port.ts'
import { deliver } from './deliver.ts'
import type { MemberIdentity } from './group-member.ts'
import { withPatience } from './patience.ts'
import { BrokerRefused, protocolErrorType } from './protocol-errors.ts'
import {
  END_TXN_WITH_EPOCHS,
  endTxnCall,
  PRODUCE_IMPLICIT,
  TXN_OFFSET_COMMIT,
  TXN_OFFSET_COMMIT_IMPLICIT,
  topicsOf,
  txnOffsetCommitCall,
} from './transaction-requests.ts'
import { createWait } from './wait.ts'

export type TransactionalWriterOptions = {
  readonly cluster: Cluster
  /** For requests to the coordinators. */
  readonly coordination: ConnectionPool
  /** For records. Other connections than `coordination`: a broker answers the requests of one connection in turn. */
  readonly records: ConnectionPool
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly transactionTimeoutMs: number
  /** How long the end of an older transaction is waited for. */
  readonly patienceMs: number
  /** Uses the newer protocol of transactions (KIP-890) where the cluster has it. */
  readonly implicitPartitions: boolean
  readonly identity: () => MemberIdentity | null
  readonly onStep: StepObserver | undefined
}

/** What one input partition has for a transaction: its outputs, and the offset to go on from. */
export type TransactionPart = {
  readonly partition: number
  readonly sink: BatchSink
  readonly nextOffset: bigint
}

/** Writes outputs and offsets under the transactional id of one input partition. */
export type TransactionalWriter = {
  /** Initialises the transactional id: older owners can write no more, and what they left open is aborted. */
  readonly fence: () => Promise<void>
  /**
   * Writes what the sinks hold and the next input offsets in one transaction. After a failure at any step: fence.
   * @param member who commits, where other partitions than that of the id take part: the generation is their fence
   */
  readonly commit: (parts: readonly TransactionPart[], member?: MemberIdentity) => Promise<void>
  /** How long until the broker is likely to take the next transaction, in milliseconds; below 0 where it does by now. */
  readonly restMs: () => number
  /** Nothing is written until the next fence. Never aborts: the fence does that, and cannot meet a later transaction. */
  readonly drop: () => void
}

/** Who writes. `implicit`: by the newer protocol, in which requests take partitions into the transaction on the way. */
type Owner = { readonly producer: CountingIdentity; readonly implicit: boolean }

const IMPLICIT_TRANSACTION_VERSION = 2

/**
 * What passes within milliseconds, and with nothing done so far: the broker still ends the transaction before this one,
 * did not get to ask the coordinator of this one, or the coordinator went elsewhere since it was last asked.
 */
const MOMENTARY: ReadonlySet<string | undefined> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])

const LONGEST_MOMENT_MS = 20

/** Asks again so soon that at most an eighth of the time is lost to waiting longer than was needed. */
const momentsLater = async <T>(
  patienceMs: number,
  call: () => Promise<T>,
  onTaken?: (refusals: number) => void,
): Promise<T> => {
  const wait = createWait()
  const began = performance.now()
  for (let refusals = 0; ; refusals++) {
    try {
      const reply = await call()
      onTaken?.(refusals)
      return reply
    } catch (error) {
      if (!MOMENTARY.has(protocolErrorType(error)) || performance.now() - began > patienceMs) throw error
    }
    const waitMs = Math.min((performance.now() - began) / 8, LONGEST_MOMENT_MS)
    // A timer takes a millisecond at least; the way there and back is wait enough at first.
    if (waitMs >= 0.5) await wait.for(waitMs)
  }
}

/** All of them, also where one fails: a request that is under way must not meet what follows from the failure. */
const settled = async (steps: readonly Promise<unknown>[]): Promise<void> => {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason
}

export const createTransactionalWriter = (options: TransactionalWriterOptions): TransactionalWriter => {
  const { cluster, coordination, records, group, topic, partition, transactionTimeoutMs, patienceMs, onStep } = options
  const transactionalId = `${group}-${topic}-${partition}`
  const transactions = createCoordinatorPort({ cluster, pool: coordination }, 'transaction', transactionalId)
  const offsets = createCoordinatorPort({ cluster, pool: coordination }, 'group', group)
  const pace = createCommitPace()
  let owner: Owner | null = null
  /** When the last commit of this owner ended, by `performance.now()`. */
  let committedAtMs = Number.NEGATIVE_INFINITY

  const taken = (refusals: number): void => pace.taken({ refusals, sinceCommitMs: performance.now() - committedAtMs })

  const checked = (what: string, errorCode: number): void => {
    if (errorCode !== 0) throw new BrokerRefused(`${what} of ${transactionalId}`, errorCode)
  }

  const initialise = (): Promise<Owner> =>
    transactions.ask(async (link) => {
      const fresh = [transactionalId, transactionTimeoutMs, -1n, -1] as const
      const given = await link.call('InitProducerId 3', [initProducerIdV3.api], ...fresh)
      const level = link.versions.featureLevel('transaction.version')
      return {
        producer: countingIdentity(given, true),
        implicit: options.implicitPartitions && level >= IMPLICIT_TRANSACTION_VERSION,
      }
    })

  /** Takes the partitions that are written to into the transaction. */
  const addPartitions = async ({ producer }: Owner, batches: readonly EncodedBatch[]): Promise<void> => {
    if (batches.length === 0) return
    const { producerId, producerEpoch } = producer
    const written = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics: topicsOf(batches) }
    await momentsLater(
      patienceMs,
      () => transactions.ask((link) => link.call('AddPartitionsToTxn 1', [addPartitionsToTxnV1.api], [written])),
      taken,
    )
  }

  /** Takes the group's offsets into the transaction. */
  const addOffsets = async ({ producer: { producerId, producerEpoch } }: Owner): Promise<void> => {
    await momentsLater(patienceMs, () =>
      transactions.ask((link) =>
        link.call('AddOffsetsToTxn 1', [addOffsetsToTxnV1.api], transactionalId, producerId, producerEpoch, group),
      ),
    )
  }

  const told = async (step: TransactionStep, parts: readonly TransactionPart[]): Promise<void> => {
    if (onStep !== undefined) for (const { partition } of parts) await onStep(step, partition)
  }

  const send = async ({ implicit }: Owner, rounds: readonly (readonly EncodedBatch[])[]): Promise<void> => {
    const deadlineMs = performance.now() + transactionTimeoutMs / 2
    for (const round of rounds) {
      const versions = implicit ? { versions: PRODUCE_IMPLICIT } : {}
      await deliver({ cluster, pool: records }, round, { transactionalId, deadlineMs, ...versions })
    }
  }

  const sendOffsets = (
    { producer, implicit }: Owner,
    parts: readonly TransactionPart[],
    holder: MemberIdentity | undefined,
  ): Promise<void> => {
    const positions = parts.map(({ partition, nextOffset }) => ({ partition, offset: nextOffset }))
    const versions = implicit ? TXN_OFFSET_COMMIT_IMPLICIT : TXN_OFFSET_COMMIT
    return momentsLater(patienceMs, () =>
      offsets.ask(async (link) => {
        const member = holder ?? options.identity()
        if (member === null) throw new KafkaUnavailable(`group ${group} was left before an offset could be committed`)
        const commit = { transactionalId, ...producer, group, ...member, topic, positions }
        const code = await callWire(link, 'TxnOffsetCommit 3', versions, (version) =>
          txnOffsetCommitCall(version, commit),
        )
        checked('the coordinator does not take the offsets', code)
      }),
    )
  }

  const end = (current: Owner): Promise<void> =>
    transactions.ask(async (link) => {
      const { producer, implicit } = current
      const { producerId, producerEpoch } = producer
      if (!implicit) {
        await link.call('EndTxn 1', [endTxnV1.api], transactionalId, producerId, producerEpoch, true)
        return
      }
      const reply = await callWire(link, 'EndTxn 5', END_TXN_WITH_EPOCHS, (version) =>
        endTxnCall(version, { transactionalId, producerId, producerEpoch, committed: true }),
      )
      checked('the coordinator does not commit the transaction', reply.errorCode)
      // The next transaction has an epoch of its own, or an id of its own once the epochs are used up.
      if (owner === current) owner = { producer: countingIdentity(reply, true), implicit }
    })

  return {
    fence: async () => {
      owner = null
      committedAtMs = Number.NEGATIVE_INFINITY
      owner = await withPatience(`the initialisation of ${transactionalId}`, patienceMs, initialise)
      await onStep?.('fenced', partition)
    },

    commit: async (parts, member) => {
      const current = owner
      if (current === null) throw new Error(`the producer ${transactionalId} was dropped meanwhile`)
      await told('begun', parts)
      const rounds = finishAll(
        parts.map(({ sink }) => sink),
        current.producer,
      )
      const batches = rounds.flat()
      if (!current.implicit) await addPartitions(current, batches)
      const sent = send(current, rounds).then(() => told('sent', parts))
      await settled([sent, ...(current.implicit ? [] : [addOffsets(current)])])
      // Not beside the records: for both the broker asks the coordinator whether the partition is in the transaction,
      // and of two questions for one producer that wait at a broker it refuses the older one.
      await sendOffsets(current, parts, member)
      current.producer.advance(batches)
      await told('offsets-sent', parts)
      const ended = end(current)
      if (onStep !== undefined) {
        ended.catch(() => undefined)
        await told('commit-sent', parts)
      }
      await ended
      committedAtMs = performance.now()
      await told('committed', parts)
    },

    restMs: () => committedAtMs + pace.delayMs() - performance.now(),

    drop: () => {
      owner = null
    },
  }
}
