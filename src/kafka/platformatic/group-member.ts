import { heartbeatV4, joinGroupV7, leaveGroupV4, syncGroupV5 } from '@platformatic/kafka'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { backoffMs } from '../backoff.ts'
import { ConsumerFailed, KafkaUnavailable } from '../kafka-errors.ts'
import type { HeartbeatGate } from '../transaction-steps.ts'
import { withTimeout } from '../with-timeout.ts'
import type { BrokerLink } from './connections.ts'
import type { CoordinatorPort } from './coordinator-port.ts'
import { assignPartitions, type TopicPartitions } from './group-assignment.ts'
import { claimOf, decodeShare, encodeShare, PROTOCOL_TYPE, subscriptionsOf } from './group-protocol.ts'
import { mayPass } from './patience.ts'
import { protocolErrorType, replyInError } from './protocol-errors.ts'
import { createWait } from './wait.ts'

/** Who a commit comes from, so that the coordinator can refuse members that it has expelled. */
export type MemberIdentity = { readonly memberId: string; readonly generation: number }

export type GroupMemberOptions = {
  readonly logger: Logger
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  /** Over connections of the membership's own: joining waits for the other members. */
  readonly coordinator: CoordinatorPort
  /** Over other connections: leaving waits for nobody. */
  readonly farewell: CoordinatorPort
  readonly beforeHeartbeat?: HeartbeatGate | undefined
  /** Fresh counts of partitions. */
  readonly partitionCounts: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** Waited for before the group is joined anew. */
  readonly beforeJoin?: () => Promise<void>
  /** All that is ours from now on. */
  readonly onAssigned: (assignment: readonly TopicPartitions[]) => void
  /** Nothing is ours any more; others may have it already. */
  readonly onLost: () => void
  /** The coordinator said that the membership stands. */
  readonly onConfirmed: () => void
  /** The group cannot be joined, now or later. */
  readonly fail: (error: Error) => void
}

export type GroupMember = {
  /** Resolves when the group was joined. @throws KafkaUnavailable, KafkaUnsuitable, KafkaAccessDenied, ConsumerFailed */
  readonly start: () => Promise<void>
  /** Null while there is no membership. */
  readonly identity: () => MemberIdentity | null
  /**
   * The identity in which all that is ours was given to us. Null while the group is joined anew: others may then be
   * given it in the generation that we have already, before we hear of it.
   */
  readonly tenure: () => MemberIdentity | null
  /** Asks the coordinator now whether the membership stands, because something says that it does not. */
  readonly check: () => void
  /** Leaves, so that others take over at once. Never rejects. */
  readonly leave: () => Promise<void>
  /** Stops at once; the group notices at the end of the session. */
  readonly close: () => void
}

const BACKOFF = { firstMs: 20, maxMs: 1000 }
/** How long the first join may meet brokers that do not answer. */
const START_PATIENCE_MS = 15_000
/** How often the leader looks whether topics have got more partitions. */
const COUNTS_INTERVAL_MS = 30_000
const LEAVE_TIMEOUT_MS = 2000
const JOIN_MARGIN_MS = 5000

/** The membership is over: the group went on without us. */
const LOST: ReadonlySet<string | undefined> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
/** Not retriable by the protocol; but the one ends with the rebalance, the other when members of another kind have left. */
const PASSING: ReadonlySet<string | undefined> = new Set(['REBALANCE_IN_PROGRESS', 'INCONSISTENT_GROUP_PROTOCOL'])

/** The longest that a request may take which waits for the other members. */
export const joinTimeoutMs = (sessionTimeoutMs: number): number => sessionTimeoutMs + JOIN_MARGIN_MS

/**
 * A member of a classic consumer group. Heartbeats run on their own, whatever the partitions do; and partitions work
 * on while the group is joined anew, until the new assignment is there.
 */
export const createGroupMember = (options: GroupMemberOptions): GroupMember => {
  const { logger, group, topics, sessionTimeoutMs, coordinator } = options
  const heartbeatMs = Math.min(1000, Math.max(100, sessionTimeoutMs / 10))
  const wait = createWait()

  let memberId = ''
  let identity: MemberIdentity | null = null
  let tenure: MemberIdentity | null = null
  let owned: readonly TopicPartitions[] = []
  /** The generation that gave us what we own; -1 where we own nothing. */
  let ownedSince = -1
  /** What the leader shared out; null for other members. */
  let shared: ReadonlyMap<string, number> | null = null
  let confirmedAt = 0
  let closed = false
  let joinedOnce = false

  const disown = (): void => {
    owned = []
    ownedSince = -1
    options.onLost()
  }

  /** @param code why; after all but one of these the group wants a new name of us */
  const lose = (code: string | undefined): void => {
    if (code !== 'ILLEGAL_GENERATION') memberId = ''
    tenure = null
    if (identity === null) return
    identity = null
    disown()
  }

  const requestJoin = (link: BrokerLink) => {
    const claim = { topics, owned, generation: ownedSince }
    const timeouts = [sessionTimeoutMs, sessionTimeoutMs] as const
    const who = [memberId, null, PROTOCOL_TYPE, subscriptionsOf(claim), null] as const
    return link.call('JoinGroup 7', [joinGroupV7.api], group, ...timeouts, ...who)
  }

  /** New members have to come back with the name that the coordinator gives them. */
  const join = async (link: BrokerLink) => {
    try {
      return await requestJoin(link)
    } catch (error) {
      const given = replyInError<{ memberId: string }>(error)?.memberId
      if (protocolErrorType(error) !== 'MEMBER_ID_REQUIRED' || given === undefined) throw error
      memberId = given
      return await requestJoin(link)
    }
  }

  type Joined = Awaited<ReturnType<typeof join>>

  const share = async ({ members }: Joined): Promise<{ memberId: string; assignment: Buffer }[]> => {
    const claims = (members ?? []).map((member) => claimOf(member.memberId, member.metadata))
    const counts = await options.partitionCounts([...new Set(claims.flatMap((claim) => claim.topics))])
    shared = counts
    const shares = assignPartitions(claims, counts)
    return Array.from(shares, ([id, assignment]) => ({ memberId: id, assignment: encodeShare(assignment) }))
  }

  const joinAndSync = (): Promise<void> =>
    coordinator.ask(async (link) => {
      const joined = await join(link)
      if (closed) return
      const { generationId: generation, protocolName } = joined
      memberId = joined.memberId ?? memberId
      shared = null
      const shares = joined.leader === memberId ? await share(joined) : []
      // What is in work goes on under the new generation: whoever gets the partition fences it before anything else.
      if (identity !== null) identity = { memberId, generation }
      const who = [generation, memberId, null, PROTOCOL_TYPE, protocolName ?? null] as const
      const synced = await link.call('SyncGroup 5', [syncGroupV5.api], group, ...who, shares)
      if (closed) return
      // In a generation that we did not hear of, others may have had what was ours, and it comes back from them.
      if (ownedSince >= 0 && generation > ownedSince + 1) disown()
      identity = { memberId, generation }
      owned = decodeShare(synced.assignment)
      ownedSince = generation
      confirmedAt = performance.now()
      logger.info({ group, generation, assignment: owned, leader: shared !== null }, 'joined the group')
      options.onAssigned(owned)
      tenure = identity
    })

  const beat = async (): Promise<void> => {
    await options.beforeHeartbeat?.()
    await coordinator.ask(async (link) => {
      if (identity === null) return
      const who = [identity.generation, identity.memberId, null] as const
      const reply = link.call('Heartbeat 4', [heartbeatV4.api], group, ...who)
      try {
        await withTimeout(reply, sessionTimeoutMs / 3, 'the group coordinator did not answer a heartbeat')
      } catch (error) {
        if (protocolErrorType(error) === undefined) link.break()
        throw error
      }
    })
    confirmedAt = performance.now()
    options.onConfirmed()
  }

  const topicsHaveGrown = async (): Promise<boolean> => {
    if (shared === null) return false
    const counts = await options.partitionCounts([...shared.keys()]).catch(() => undefined)
    return counts !== undefined && [...shared].some(([topic, count]) => counts.get(topic) !== count)
  }

  /** Sends heartbeats until the group has to be joined anew. */
  const stay = async (): Promise<void> => {
    let countedAt = performance.now()
    for (let failures = 0; ; ) {
      await wait.for(failures === 0 ? heartbeatMs : backoffMs(failures, Math.random(), BACKOFF))
      if (closed) return
      try {
        await beat()
        failures = 0
        if (performance.now() - countedAt < COUNTS_INTERVAL_MS) continue
        countedAt = performance.now()
        if (await topicsHaveGrown()) return
      } catch (error) {
        const code = protocolErrorType(error)
        if (code === 'REBALANCE_IN_PROGRESS') return
        failures++
        const silent = performance.now() - confirmedAt > sessionTimeoutMs
        if (!LOST.has(code) && !silent) continue
        logger.warn({ group, code }, `the membership is lost: ${describeError(error)}`)
        return lose(code)
      }
    }
  }

  /** Joins, however long it takes once it worked before. */
  const enter = async (): Promise<void> => {
    const started = performance.now()
    tenure = null
    await options.beforeJoin?.()
    for (let failures = 1; !closed; failures++) {
      try {
        return await joinAndSync()
      } catch (error) {
        if (closed) return
        const code = protocolErrorType(error)
        if (!mayPass(error) && !PASSING.has(code) && !LOST.has(code)) throw error
        const silent = performance.now() - confirmedAt > joinTimeoutMs(sessionTimeoutMs)
        if (LOST.has(code) || silent) lose(code)
        if (!joinedOnce && performance.now() - started > START_PATIENCE_MS) throw error
        logger.debug({ group, failures }, `joining the group failed: ${describeError(error)}`)
        if (code !== 'REBALANCE_IN_PROGRESS') await wait.for(backoffMs(failures, Math.random(), BACKOFF))
      }
    }
  }

  const run = async (): Promise<void> => {
    while (!closed) {
      await stay()
      await enter()
    }
  }

  const asFailure = (error: unknown): Error => {
    if (error instanceof AppError && protocolErrorType(error) === undefined) return error
    const what = `group ${group} cannot be joined: ${describeError(error)}`
    return mayPass(error) ? new KafkaUnavailable(what, { cause: error }) : new ConsumerFailed(what, { cause: error })
  }

  const close = (): void => {
    closed = true
    wait.wake()
  }

  return {
    identity: () => identity,
    tenure: () => tenure,
    check: wait.wake,
    close,

    start: async () => {
      try {
        await enter()
      } catch (error) {
        close()
        throw asFailure(error)
      }
      joinedOnce = true
      run().catch((error) => {
        close()
        options.fail(asFailure(error))
      })
    },

    leave: async () => {
      close()
      if (memberId === '') return
      const leaving = options.farewell.ask((link) =>
        link.call('LeaveGroup 4', [leaveGroupV4.api], group, [{ memberId }]),
      )
      try {
        await withTimeout(leaving, LEAVE_TIMEOUT_MS, 'leaving the group was not answered')
      } catch (error) {
        logger.debug({ group }, `the group was not told of the leave: ${describeError(error)}`)
      }
      identity = null
      tenure = null
    },
  }
}
