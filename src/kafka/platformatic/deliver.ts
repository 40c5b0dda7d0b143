import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../backoff.ts'
import {
  type EncodedBatch,
  PRODUCE_VERSIONS_BEFORE_KIP_890,
  type ProducedPartition,
  produceCall,
} from '../wire/produce-protocol.ts'
import type { VersionRange } from '../wire/wire-call.ts'
import { callWire } from './call-wire.ts'
import type { BrokerNode, Cluster } from './cluster.ts'
import type { ConnectionPool } from './connections.ts'
import { mayPass } from './patience.ts'
import { BrokerRefused, errorName, isLeaderMoved } from './protocol-errors.ts'

export type DeliverDeps = { readonly cluster: Cluster; readonly pool: ConnectionPool }

export type DeliverOptions = {
  readonly transactionalId: string | null
  /** When to give up, on the clock of `performance.now`. */
  readonly deadlineMs: number
  /** Of the request; those that leave partitions out of a transaction if nothing is said. */
  readonly versions?: VersionRange
}

/** How long a broker may wait for its replicas: less than we wait for the broker. */
const REPLICAS_TIMEOUT_MS = 8000
const BACKOFF = { firstMs: 20, maxMs: 500 }

type Outcome =
  | { readonly batch: EncodedBatch; readonly error: unknown }
  | { readonly batch: EncodedBatch; readonly offset: bigint | null }

/**
 * Writes at most one batch of each partition to the leaders, in one request to each, until all in-sync replicas have
 * them. What may pass is sent again with the same sequence numbers, so that brokers store it once.
 * @returns where the first record of each batch went; null where a broker says only that it has the batch
 * @throws BrokerRefused, KafkaUnavailable, KafkaUnsuitable, KafkaAccessDenied; it is not known then which batches
 * were written
 */
export const deliver = async (
  { cluster, pool }: DeliverDeps,
  batches: readonly EncodedBatch[],
  { transactionalId, deadlineMs, versions = PRODUCE_VERSIONS_BEFORE_KIP_890 }: DeliverOptions,
): Promise<Map<EncodedBatch, bigint | null>> => {
  const outcomeOf = (batch: EncodedBatch, reply: ProducedPartition | undefined): Outcome => {
    const code = reply?.errorCode ?? -1
    if (reply !== undefined && code === 0) return { batch, offset: reply.baseOffset < 0n ? null : reply.baseOffset }
    const type = errorName(code)
    // It has been there for so long that the broker no longer knows where.
    if (type === 'DUPLICATE_SEQUENCE_NUMBER') return { batch, offset: null }
    if (isLeaderMoved(type)) cluster.forgetTopic(batch.topic)
    const reason = reply?.errorMessage ? ` (${reply.errorMessage})` : ''
    return { batch, error: new BrokerRefused(`${batch.topic}-${batch.partition} was not written${reason}`, code) }
  }

  const writeTo = async (node: BrokerNode, own: readonly EncodedBatch[]): Promise<Outcome[]> => {
    try {
      const link = await pool.link(node)
      const request = { transactionalId, acks: -1, timeoutMs: REPLICAS_TIMEOUT_MS, batches: own } as const
      const { partitions } = await callWire(link, 'Produce 8', versions, (version) => produceCall(version, request))
      return own.map((batch) =>
        outcomeOf(
          batch,
          partitions.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition),
        ),
      )
    } catch (error) {
      // A leader that is gone has not said so.
      for (const { topic } of own) cluster.forgetTopic(topic)
      return own.map((batch) => ({ batch, error }))
    }
  }

  const writeOnce = async (pending: readonly EncodedBatch[]): Promise<Outcome[]> => {
    const outcomes: Outcome[] = []
    const byNode = new Map<number, { node: BrokerNode; own: EncodedBatch[] }>()
    for (const batch of pending) {
      try {
        const node = await cluster.leaderOf(batch.topic, batch.partition)
        const found = byNode.get(node.nodeId)
        if (found === undefined) byNode.set(node.nodeId, { node, own: [batch] })
        else found.own.push(batch)
      } catch (error) {
        outcomes.push({ batch, error })
      }
    }
    const written = await Promise.all(Array.from(byNode.values(), ({ node, own }) => writeTo(node, own)))
    return [...outcomes, ...written.flat()]
  }

  const offsets = new Map<EncodedBatch, bigint | null>()
  let pending = batches
  for (let failures = 1; ; failures++) {
    const failed: { batch: EncodedBatch; error: unknown }[] = []
    for (const outcome of await writeOnce(pending)) {
      if ('error' in outcome) failed.push(outcome)
      else offsets.set(outcome.batch, outcome.offset)
    }
    if (failed.length === 0) return offsets
    const final =
      failed.find(({ error }) => !mayPass(error)) ?? (performance.now() > deadlineMs ? failed[0] : undefined)
    if (final !== undefined) throw final.error
    pending = failed.map(({ batch }) => batch)
    await sleep(backoffMs(failures, Math.random(), BACKOFF))
  }
}
