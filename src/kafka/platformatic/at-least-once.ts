import { offsetCommitV8 } from '@platformatic/kafka'
import type { Logger } from '../../telemetry/log.ts'
import { chunkSafetyMs } from '../chunk-limit.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'
import type { AtLeastOnceOptions, RunningConsumer } from '../kafka-types.ts'
import { ownRecordsOf } from '../record-batch.ts'
import { type SessionPorts, startConsumerSession } from './consumer-session.ts'
import { createCoordinatorPort } from './coordinator-port.ts'
import { logStartAfter, readLogStart } from './log-start.ts'
import type { OpenNetwork } from './network.ts'
import type { PartitionWork } from './partition-work.ts'
import { isCoordinatorMoved, protocolErrorType } from './protocol-errors.ts'
import { readStableOffsets } from './stable-offsets.ts'
import { createWait } from './wait.ts'

export type AtLeastOnceDeps = {
  readonly logger: Logger
  readonly openNetwork: OpenNetwork
  readonly stallTimeoutMs: number
}

const CHUNK_MAX_RECORDS = 2000
const COMMIT_RETRY_MS = 30

/** While the group is joined anew, an offset is refused that a moment later is taken again. */
const REJOINING: ReadonlySet<string | undefined> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'])

/** Handles chunks and then commits the offset that the handler asks for; after a failure the chunk comes again. */
export const runAtLeastOnce = async (deps: AtLeastOnceDeps, options: AtLeastOnceOptions): Promise<RunningConsumer> => {
  const { logger, openNetwork, stallTimeoutMs } = deps
  const { group, topics, sessionTimeoutMs, observer } = options
  const network = openNetwork('at-least-once')
  const { cluster } = network
  const pool = network.pool('offsets')
  const coordinator = createCoordinatorPort({ cluster, pool }, 'group', group)
  const patienceMs = sessionTimeoutMs / 4

  const createWork = (
    topic: string,
    partition: number,
    { identity, assigned, givenUp }: SessionPorts,
  ): PartitionWork => {
    let committed: bigint | null = null
    let asked: true | bigint = true

    const commitOnce = async (offset: bigint): Promise<void> => {
      const member = identity()
      if (member === null) throw new KafkaUnavailable(`group ${group} was left before an offset could be committed`)
      const place = { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1 }
      const offsets = [{ name: topic, partitions: [{ ...place, committedMetadata: '' }] }]
      const commit = [group, member.generation, member.memberId, null, offsets] as const
      await coordinator.ask((link) => link.call('OffsetCommit 8', [offsetCommitV8.api], ...commit))
    }

    const commitOffset = async (offset: bigint): Promise<void> => {
      const deadline = performance.now() + sessionTimeoutMs
      for (;;) {
        // The group takes an offset from any of its members, also one that lies behind what the next owner committed.
        if (givenUp()) throw new KafkaUnavailable(`${topic}-${partition} went to another member of ${group}`)
        try {
          return await commitOnce(offset)
        } catch (error) {
          const type = protocolErrorType(error)
          const passing = REJOINING.has(type) || isCoordinatorMoved(error)
          if (!passing || !assigned() || identity() === null || performance.now() > deadline) throw error
        }
        await createWait().for(COMMIT_RETRY_MS)
      }
    }

    return {
      start: async () => {
        committed = null
        asked = true
        const offsets = await readStableOffsets({ group, topic, partitions: [partition], coordinator, patienceMs })
        return offsets.get(partition) ?? (await readLogStart({ cluster, pool }, topic, partition))
      },
      logStart: (position) => logStartAfter({ cluster, pool }, topic, partition, position),
      process: async (batch) => {
        asked = await options.process(ownRecordsOf(batch))
      },
      commit: async (nextOffset) => {
        const offset = asked === true ? nextOffset : asked
        if (offset !== committed) await commitOffset(offset)
        committed = offset
        return { records: 0, transactions: 1 }
      },
      restMs: () => 0,
      mayCommitIdle: () => asked === true,
      release: () => {},
    }
  }

  return startConsumerSession({
    ...{ network, logger, group, topics, sessionTimeoutMs, stallTimeoutMs, observer, createWork },
    beforeHeartbeat: undefined,
    chunkMaxRecords: CHUNK_MAX_RECORDS,
    // What these handlers wait for grows with the records; it does not hold the process.
    chunkGoalMs: sessionTimeoutMs / 4,
    chunkSafetyMs: chunkSafetyMs({ sessionTimeoutMs }),
    settleMs: sessionTimeoutMs / 3,
  })
}
