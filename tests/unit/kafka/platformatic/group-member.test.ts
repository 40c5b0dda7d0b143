import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KafkaUnavailable } from '../../../../src/kafka/kafka-errors.ts'
import type { BrokerLink } from '../../../../src/kafka/platformatic/connections.ts'
import {
  createGroupMember,
  type GroupMember,
  type GroupMemberOptions,
} from '../../../../src/kafka/platformatic/group-member.ts'
import { claimOf, encodeShare } from '../../../../src/kafka/platformatic/group-protocol.ts'
import { BrokerRefused } from '../../../../src/kafka/platformatic/protocol-errors.ts'
import { testLogger } from '../../../support/test-logger.ts'

const NOT_COORDINATOR = 16
const ILLEGAL_GENERATION = 22
const UNKNOWN_MEMBER_ID = 25
const REBALANCE_IN_PROGRESS = 27
const GROUP_AUTHORIZATION_FAILED = 30
const SESSION_MS = 3000

type Call = { name: string; args: unknown[] }

/** A coordinator that answers as it is told; `joins` counts generations. */
const createBed = (more: Partial<GroupMemberOptions> = {}) => {
  const log: string[] = []
  const calls: Call[] = []
  /** Error codes that the next requests of a kind meet. */
  const refuse: Record<string, number[]> = {}
  let silent = false
  let joins = 0
  let partitions = [0, 1]
  let unanswered = ''

  const answer = async (name: string, args: unknown[]): Promise<unknown> => {
    calls.push({ name, args })
    if (silent) throw new KafkaUnavailable('no answer')
    const code = refuse[name]?.shift()
    if (code !== undefined) throw new BrokerRefused(name, code)
    if (name === unanswered) return new Promise(() => undefined)
    if (name === 'JoinGroup') {
      joins++
      return { generationId: joins, protocolName: 'driftline-sticky', leader: 'other', memberId: `m${joins}` }
    }
    if (name === 'SyncGroup') return { assignment: encodeShare([{ topic: 't', partitions }]) }
    return {}
  }
  const link = {
    call: (what: string, _apis: unknown, ...args: unknown[]) => answer(what.split(' ')[0] ?? '', args),
    break: () => undefined,
  } as unknown as BrokerLink

  const member = createGroupMember({
    logger: testLogger(),
    group: 'g',
    topics: ['t'],
    sessionTimeoutMs: SESSION_MS,
    coordinator: { ask: (request) => (unanswered === '' ? request(link) : new Promise(() => undefined)) },
    farewell: { ask: (request) => request(link) },
    partitionCounts: async () => new Map([['t', 2]]),
    onAssigned: (assignment) => log.push(`assigned ${assignment.flatMap((one) => one.partitions).join()}`),
    onLost: () => log.push('lost'),
    onConfirmed: () => log.push('confirmed'),
    fail: (error) => log.push(`fail ${(error as Error & { code: string }).code}`),
    ...more,
  })
  return {
    ...{ log, calls, refuse, member },
    fallSilent: (value: boolean) => {
      silent = value
    },
    share: (value: number[]) => {
      partitions = value
    },
    hold: (name: string) => {
      unanswered = name
    },
    /** Generations that pass without this member. */
    pass: (generations: number) => {
      joins += generations
    },
    of: (name: string) => calls.filter((call) => call.name === name),
  }
}

let member: GroupMember
const bedOf = (more?: Partial<GroupMemberOptions>): ReturnType<typeof createBed> => {
  const bed = createBed(more)
  member = bed.member
  return bed
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  member.close()
  vi.useRealTimers()
})

describe('a member of a group', () => {
  test('joins, and then sends heartbeats several times in a session', async () => {
    const { member, log } = bedOf()
    await member.start()
    expect(member.identity()).toEqual({ memberId: 'm1', generation: 1 })
    await vi.advanceTimersByTimeAsync(SESSION_MS)
    expect(log[0]).toBe('assigned 0,1')
    expect(log.filter((line) => line === 'confirmed').length).toBeGreaterThanOrEqual(5)
  })

  test('joins anew when the group rebalances, and keeps what it has until then', async () => {
    const { member, log, refuse, share, of } = bedOf()
    await member.start()
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    share([1])
    await vi.advanceTimersByTimeAsync(400)
    expect(log).not.toContain('lost')
    expect(log).toContain('assigned 1')
    expect(member.identity()?.generation).toBe(2)
    // It comes back under its name, and says what it has.
    expect(of('JoinGroup')[1]?.args[3]).toBe('m1')
  })

  test('stands for what it has in the generation that gave it, and for nothing while it joins anew', async () => {
    const during: unknown[] = []
    const { member, refuse } = bedOf({ beforeJoin: async () => void during.push(member.tenure()) })
    await member.start()
    expect(member.tenure()).toEqual({ memberId: 'm1', generation: 1 })
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    refuse['SyncGroup'] = [REBALANCE_IN_PROGRESS]
    await vi.advanceTimersByTimeAsync(400)
    expect(during).toEqual([null, null])
    expect(member.tenure()).toEqual({ memberId: 'm3', generation: 3 })
    refuse['Heartbeat'] = [UNKNOWN_MEMBER_ID]
    refuse['JoinGroup'] = Array(9).fill(NOT_COORDINATOR)
    await vi.advanceTimersByTimeAsync(400)
    expect([member.identity(), member.tenure()]).toEqual([null, null])
  })

  test('has a generation before it hears what that gives it, and stands for nothing then', async () => {
    const { member, refuse } = bedOf()
    await member.start()
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    refuse['SyncGroup'] = Array(9).fill(NOT_COORDINATOR)
    await vi.advanceTimersByTimeAsync(400)
    expect(member.identity()?.generation).toBeGreaterThan(1)
    expect(member.tenure()).toBeNull()
  })

  test.each([
    ['expelled', UNKNOWN_MEMBER_ID, ''],
    ['left behind', ILLEGAL_GENERATION, 'm1'],
  ])('gives everything up at once when it is %s, and joins anew', async (_what, code, name) => {
    const { member, log, refuse, of } = bedOf()
    await member.start()
    refuse['Heartbeat'] = [code]
    await vi.advanceTimersByTimeAsync(400)
    expect(log.slice(0, 3)).toEqual(['assigned 0,1', 'lost', 'assigned 0,1'])
    expect(of('JoinGroup')[1]?.args[3]).toBe(name)
  })

  test('keeps its partitions over a coordinator that moves', async () => {
    const { member, log, refuse } = bedOf()
    await member.start()
    refuse['Heartbeat'] = [NOT_COORDINATOR, NOT_COORDINATOR]
    await vi.advanceTimersByTimeAsync(1000)
    expect(log).not.toContain('lost')
    expect(log).toContain('confirmed')
  })

  test('gives everything up when nobody answers for as long as a session', async () => {
    const { member, log, fallSilent } = bedOf()
    await member.start()
    fallSilent(true)
    await vi.advanceTimersByTimeAsync(SESSION_MS / 2)
    expect(log).not.toContain('lost')
    await vi.advanceTimersByTimeAsync(SESSION_MS)
    expect(log.filter((line) => line === 'lost')).toHaveLength(1)
    expect(member.identity()).toBeNull()
    fallSilent(false)
    await vi.advanceTimersByTimeAsync(2000)
    expect(log.findLast((line) => line !== 'confirmed')).toBe('assigned 0,1')
  })

  test('asks at once when its membership is in doubt', async () => {
    const { member, of } = bedOf()
    await member.start()
    member.check()
    await vi.advanceTimersByTimeAsync(1)
    expect(of('Heartbeat')).toHaveLength(1)
  })

  test('keeps nothing over a generation in which it was not asked', async () => {
    const { member, log, refuse, pass } = bedOf()
    await member.start()
    pass(1)
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    await vi.advanceTimersByTimeAsync(400)
    expect(member.identity()?.generation).toBe(3)
    // It began anew with what another may have had in between.
    expect(log.filter((line) => line !== 'confirmed')).toEqual(['assigned 0,1', 'lost', 'assigned 0,1'])
  })

  test('does not claim what it has for a generation whose shares it never got', async () => {
    const { member, log, refuse, of } = bedOf()
    await member.start()
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    refuse['SyncGroup'] = [REBALANCE_IN_PROGRESS]
    await vi.advanceTimersByTimeAsync(400)
    const claims = of('JoinGroup').map(({ args }) => {
      const [sticky] = args[6] as { metadata: Buffer }[]
      return claimOf('m', sticky?.metadata).generation
    })
    expect(claims).toEqual([-1, 1, 1])
    expect(log.filter((line) => line !== 'confirmed')).toEqual(['assigned 0,1', 'lost', 'assigned 0,1'])
  })

  test('leaves also while it waits for the others to join', async () => {
    const { member, refuse, hold, of } = bedOf()
    await member.start()
    hold('JoinGroup')
    refuse['Heartbeat'] = [REBALANCE_IN_PROGRESS]
    await vi.advanceTimersByTimeAsync(400)
    const left = member.leave()
    await vi.advanceTimersByTimeAsync(1)
    await left
    expect(of('LeaveGroup')).toHaveLength(1)
  })

  test('waits with a heartbeat until it may be sent', async () => {
    const gate = Promise.withResolvers<void>()
    const { member, of } = bedOf({ beforeHeartbeat: () => gate.promise })
    await member.start()
    await vi.advanceTimersByTimeAsync(3 * SESSION_MS)
    expect(of('Heartbeat')).toHaveLength(0)
    expect(member.identity()).not.toBeNull()
    gate.resolve()
    await vi.advanceTimersByTimeAsync(1)
    expect(of('Heartbeat')).toHaveLength(1)
  })

  test('cannot start where it is not allowed to, and says so at once', async () => {
    const { member, refuse } = bedOf()
    refuse['JoinGroup'] = [GROUP_AUTHORIZATION_FAILED]
    await expect(member.start()).rejects.toMatchObject({ code: 'CONSUMER_FAILED' })
  })

  test('gives up starting where nobody answers', async () => {
    const { member, fallSilent } = bedOf()
    fallSilent(true)
    const started = expect(member.start()).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
    await vi.advanceTimersByTimeAsync(30_000)
    await started
  })

  test('tells the group when it leaves, and then says no more', async () => {
    const { member, of } = bedOf()
    await member.start()
    await member.leave()
    expect(of('LeaveGroup')[0]?.args).toEqual(['g', [{ memberId: 'm1' }]])
    await vi.advanceTimersByTimeAsync(SESSION_MS)
    expect(of('Heartbeat')).toHaveLength(0)
  })
})
