import {
  addPartitionsToTxnV1,
  addPartitionsToTxnV3,
  endTxnV1,
  endTxnV3,
  initProducerIdV3,
  initProducerIdV4,
} from '@platformatic/kafka'
import { describeError } from '../../errors.ts'
import { chunkBySize } from '../chunking.ts'
import { CommitUncertain, ProducerFenced, SendFailed } from '../kafka-errors.ts'
import type { OutgoingRecord, TransactionalProducer } from '../kafka-types.ts'
import { wireBytes } from '../record-size.ts'
import { type CountingIdentity, countingIdentity, type ProducerId } from '../wire/counting-identity.ts'
import { createBatchSink } from '../wire/record-sink.ts'
import type { BrokerLink } from './connections.ts'
import { deliver } from './deliver.ts'
import { withPatience } from './patience.ts'
import { maySendAgain, type ProducerDeps, SEND_LIMITS } from './plain-producer.ts'
import { isCoordinatorMoved, isFenced, protocolErrorType } from './protocol-errors.ts'
import { topicsOf } from './transaction-requests.ts'
import { createTurns } from './turns.ts'

/** How long the coordinator is asked again: it moves, or it still ends the transaction before. */
const PATIENCE_MS = 20_000
/** Coordinators answer at once; what takes longer was lost, and is to be asked again while there is patience. */
const COORDINATOR_TIMEOUT_MS = 5000

export type TransactionalProducerOptions = {
  readonly transactionalId: string
  /** The coordinator aborts a transaction that takes longer. */
  readonly transactionTimeoutMs: number
}

const NOBODY: ProducerId = { producerId: -1n, producerEpoch: -1 }

/** @throws KafkaUnavailable, KafkaUnsuitable, KafkaAccessDenied */
export const createTransactionalProducer = async (
  { compression, openNetwork }: ProducerDeps,
  { transactionalId, transactionTimeoutMs }: TransactionalProducerOptions,
): Promise<TransactionalProducer> => {
  const network = openNetwork('transaction')
  const { cluster } = network
  const writing = network.pool('write')
  const coordinating = network.pool('coordinate', { requestTimeoutMs: COORDINATOR_TIMEOUT_MS })
  const sink = createBatchSink({ compression })
  const turns = createTurns()
  let ended: ProducerFenced | CommitUncertain | SendFailed | undefined

  /** Asks the coordinator of the id, wherever it is by now. Every request here may be repeated. */
  const ask = <T>(what: string, patienceMs: number, request: (link: BrokerLink) => Promise<T>): Promise<T> =>
    withPatience(`${what} of ${transactionalId}`, patienceMs, async () => {
      try {
        const link = await coordinating.link(await cluster.coordinatorOf('transaction', transactionalId))
        return await request(link)
      } catch (error) {
        // A coordinator that is gone has not said so.
        if (isCoordinatorMoved(error) || protocolErrorType(error) === undefined) {
          cluster.forgetCoordinator('transaction', transactionalId)
        }
        throw error
      }
    })

  /**
   * Takes the id: from whoever holds it, or, as its holder, for a new epoch. Ends what is open, and brokers count our
   * records from the beginning.
   */
  const initialise = async (holder: ProducerId): Promise<CountingIdentity> => {
    const apis = [initProducerIdV4.api, initProducerIdV3.api]
    const { producerId, producerEpoch } = holder
    const given = await ask('the initialisation', PATIENCE_MS, (link) =>
      link.call('InitProducerId 3', apis, transactionalId, transactionTimeoutMs, producerId, producerEpoch),
    )
    return countingIdentity(given, true)
  }

  let identity: CountingIdentity
  try {
    identity = await initialise(NOBODY)
  } catch (error) {
    network.close()
    throw error
  }

  const end = (committed: boolean, onUnanswered?: () => void): Promise<unknown> =>
    ask(committed ? 'the commit' : 'the abort', PATIENCE_MS, async (link) => {
      const { producerId, producerEpoch } = identity
      try {
        return await link.call(
          'EndTxn 1',
          [endTxnV3.api, endTxnV1.api],
          transactionalId,
          producerId,
          producerEpoch,
          committed,
        )
      } catch (error) {
        if (protocolErrorType(error) === undefined) onUnanswered?.()
        throw error
      }
    })

  const write = async (records: readonly OutgoingRecord[]): Promise<void> => {
    const deadlineMs = performance.now() + transactionTimeoutMs
    const { producerId, producerEpoch } = identity
    const topics = topicsOf(records)
    // A coordinator that has not heard of a topic yet says the same as one that never will.
    for (const { name } of topics) {
      await withPatience(`topic ${name} cannot be read`, PATIENCE_MS, () => cluster.topic(name))
    }
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics }
    await ask('the beginning', transactionTimeoutMs, (link) =>
      link.call('AddPartitionsToTxn 1', [addPartitionsToTxnV3.api, addPartitionsToTxnV1.api], [transaction]),
    )
    for (const chunk of chunkBySize(records, wireBytes, SEND_LIMITS)) {
      sink.reset()
      for (const record of chunk) sink.add(record)
      for (const batches of sink.finish(identity)) {
        await deliver({ cluster, pool: writing }, batches, { transactionalId, deadlineMs })
        identity.advance(batches)
      }
    }
  }

  const fenced = (error: unknown): ProducerFenced =>
    new ProducerFenced(
      `${transactionalId} was opened by somebody else, or its transaction took longer than ${transactionTimeoutMs} ms`,
      { cause: error },
    )

  /** Makes the producer fit for the next transaction. Where that fails, it ends. */
  const renew = async (aborting: boolean): Promise<void> => {
    try {
      if (aborting) {
        await end(false).catch((error: unknown) => {
          // The transaction had not begun.
          if (protocolErrorType(error) !== 'INVALID_TXN_STATE') throw error
        })
      }
      identity = await initialise(identity)
    } catch (error) {
      ended = isFenced(error)
        ? fenced(error)
        : new SendFailed(`${transactionalId} has to be opened again: ${describeError(error)}`, { cause: error })
    }
  }

  const complete = async (what: string): Promise<void> => {
    let unanswered = false
    try {
      await end(true, () => {
        unanswered = true
      })
    } catch (error) {
      ended = isFenced(error) && !unanswered ? fenced(error) : new CommitUncertain(what, error)
      throw ended
    }
    // The request that was given up may still be on its way, and must not end the next transaction.
    if (unanswered) await renew(false)
  }

  const commit = async (records: readonly OutgoingRecord[]): Promise<void> => {
    if (ended !== undefined) throw ended
    if (records.length === 0) return
    const what = `a transaction of ${records.length} records under ${transactionalId}`
    try {
      await write(records)
    } catch (error) {
      if (isFenced(error)) ended = fenced(error)
      else await renew(true)
      if (ended instanceof ProducerFenced) throw ended
      throw new SendFailed(`${what} was not written: ${describeError(error)}`, {
        cause: error,
        retryable: ended === undefined && maySendAgain(error),
      })
    }
    await complete(what)
  }

  return {
    commit: (records) => turns.take(() => commit(records)),
    close: async () => {
      ended ??= new SendFailed(`the producer of ${transactionalId} is closed`)
      network.close()
    },
  }
}
