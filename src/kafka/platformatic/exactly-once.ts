import type { KafkaCompression } from '../../config/kafka-schema.ts'
import type { Logger } from '../../telemetry/log.ts'
import { chunkSafetyMs } from '../chunk-limit.ts'
import { KafkaUnsuitable } from '../kafka-errors.ts'
import type { ExactlyOnceOptions, RunningConsumer } from '../kafka-types.ts'
import type { HeartbeatGate, StepObserver } from '../transaction-steps.ts'
import { createBatchSink } from '../wire/record-sink.ts'
import { type SessionPorts, startConsumerSession } from './consumer-session.ts'
import { createCoordinatorPort } from './coordinator-port.ts'
import { logStartAfter, readLogStart } from './log-start.ts'
import type { OpenNetwork } from './network.ts'
import type { PartitionWork } from './partition-work.ts'
import { createSharedTransactions } from './shared-transactions.ts'
import { readStableOffsets } from './stable-offsets.ts'
import { createTransactionalWriter } from './transactional-writer.ts'

export type ExactlyOnceDeps = {
  readonly logger: Logger
  readonly openNetwork: OpenNetwork
  readonly compression: KafkaCompression
  readonly stallTimeoutMs: number
  readonly onStep: StepObserver | undefined
  readonly beforeHeartbeat?: HeartbeatGate | undefined
  /** Whether to use the newer protocol of transactions (KIP-890) on clusters that have it. */
  readonly implicitPartitions?: boolean
}

/**
 * Brokers answer the requests of one connection in turn, and a commit waits for replicas: so partitions that share
 * connections wait for each other. More connections than this bring little.
 */
const MAX_LANES = 16

/**
 * Outputs and next input offset in one transaction: that of the chunk alone, or, of small chunks, of several partitions
 * together.
 *
 * The order on getting a partition is: fence, read the stable committed offset, go on from there. Fencing first means
 * that whatever an older owner committed is in that offset and that it can commit no more.
 */
export const runExactlyOnce = async (deps: ExactlyOnceDeps, options: ExactlyOnceOptions): Promise<RunningConsumer> => {
  const { logger, openNetwork, compression, stallTimeoutMs, onStep, implicitPartitions = false } = deps
  const { group, topic, sessionTimeoutMs, transactionTimeoutMs, bounds, observer } = options
  if (transactionTimeoutMs >= sessionTimeoutMs) {
    throw new KafkaUnsuitable(
      `transactionTimeoutMs (${transactionTimeoutMs}) has to be below sessionTimeoutMs (${sessionTimeoutMs}): a worker that lost its partitions must not hold their transactions open`,
    )
  }
  const network = openNetwork('exactly-once')
  const { cluster } = network
  // A request without an answer must not outlive the transaction that it belongs to.
  const limits = { requestTimeoutMs: transactionTimeoutMs }
  const lanes = Array.from({ length: MAX_LANES }, (_, lane) => ({
    coordination: network.pool(`transactions-${lane}`, limits),
    records: network.pool(`write-${lane}`, limits),
  }))
  const offsetsPool = network.pool('offsets')
  const patienceMs = sessionTimeoutMs / 4
  const coordinator = createCoordinatorPort({ cluster, pool: offsetsPool }, 'group', group)
  const committed = (partitions: readonly number[]): Promise<Map<number, bigint>> =>
    readStableOffsets({ group, topic, partitions, patienceMs, coordinator })

  const transactions = createSharedTransactions()
  const createWork = (_topic: string, partition: number, ports: SessionPorts): PartitionWork => {
    const lane = lanes[partition % MAX_LANES]!
    const sink = createBatchSink({ compression })
    const writer = createTransactionalWriter({
      ...{ cluster, group, topic, partition, transactionTimeoutMs, patienceMs, implicitPartitions, onStep },
      identity: ports.identity,
      ...lane,
    })
    const shared = transactions.of({ writer, tenure: ports.tenure, assigned: ports.assigned })
    const log = { cluster, pool: offsetsPool }
    return {
      start: async () => {
        await writer.fence()
        const before = (await committed([partition])).get(partition) ?? bounds?.get(partition)?.from
        const position = before ?? (await readLogStart(log, topic, partition))
        await onStep?.('positioned', partition)
        return position
      },
      logStart: (position) => logStartAfter(log, topic, partition, position),
      process: (batch) => {
        sink.reset()
        return options.process(batch, sink)
      },
      commit: async (nextOffset) => {
        const { records } = sink
        const made = await shared.commit({ partition, sink, nextOffset })
        sink.reset()
        return { records, transactions: made }
      },
      restMs: shared.restMs,
      mayCommitIdle: () => true,
      release: () => {
        writer.drop()
        sink.reset()
      },
    }
  }

  return startConsumerSession({
    ...{ network, logger, group, topics: [topic], sessionTimeoutMs, stallTimeoutMs, observer, createWork, committed },
    ...(bounds === undefined ? {} : { bounds }),
    beforeHeartbeat: deps.beforeHeartbeat,
    // The group's next generation refuses what is under way in this one.
    beforeJoin: transactions.settled,
    chunkMaxRecords: options.batchMaxRecords,
    chunkGoalMs: options.batchGoalMs,
    chunkSafetyMs: chunkSafetyMs(options),
  })
}
