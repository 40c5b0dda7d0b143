import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { MemberIdentity } from '../../../../src/kafka/platformatic/group-member.ts'
import { createSharedTransactions } from '../../../../src/kafka/platformatic/shared-transactions.ts'
import { createBatchSink } from '../../../../src/kafka/wire/record-sink.ts'

/** Everything that is due by now, and nothing that waits for the clock. */
const moment = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const member: MemberIdentity = { memberId: 'm', generation: 7 }

/** Partitions whose transactions end when the test says so. */
const createBed = (partitions = 4) => {
  const shared = createSharedTransactions()
  const state = {
    tenure: member as MemberIdentity | null,
    assigned: new Set(Array.from({ length: partitions }, (_, i) => i)),
  }
  const begun: {
    by: number
    parts: number[]
    as: MemberIdentity | undefined
    end: (error?: Error) => Promise<void>
  }[] = []
  const restMs = new Map<number, number>()
  const writers = Array.from({ length: partitions }, (_, by) =>
    shared.of({
      writer: {
        fence: async () => undefined,
        drop: () => undefined,
        restMs: () => restMs.get(by) ?? 0,
        commit: (parts, as) => {
          const { promise, resolve, reject } = Promise.withResolvers<void>()
          const end = async (error?: Error): Promise<void> => {
            if (error === undefined) resolve()
            else reject(error)
            await moment()
          }
          begun.push({ by, parts: parts.map(({ partition }) => partition), as, end })
          return promise
        },
      },
      tenure: () => state.tenure,
      assigned: () => state.assigned.has(by),
    }),
  )
  const ends: string[] = []
  return {
    ...{ shared, state, begun, restMs, ends, writers },
    /** Hands in something to commit, of `records` records. */
    commit: (partition: number, records = 1): void => {
      const sink = createBatchSink()
      for (let i = 0; i < records; i++) sink.add({ topic: 'out', partition, key: null, value: null })
      writers[partition]!.commit({ partition, sink, nextOffset: 1n }).then(
        (transactions) => ends.push(`${partition}: ${transactions}`),
        (error: Error) => ends.push(`${partition}: ${error.message}`),
      )
    },
    transactions: () => begun.map(({ by, parts }) => `${by} for ${parts}`),
  }
}

describe('small parts', () => {
  test('go in one transaction when they come in the same moment, and one partition has made it', async () => {
    const { commit, begun, transactions, ends } = createBed()
    for (const partition of [0, 1, 3]) commit(partition)
    await moment()
    expect(transactions()).toEqual(['0 for 0,1,3'])
    expect(begun[0]?.as).toBe(member)
    await begun[0]?.end()
    expect(ends).toEqual(['0: 1', '1: 0', '3: 0'])
  })

  test('that come during a transaction go together in the next one', async () => {
    const { commit, begun, transactions } = createBed()
    commit(0)
    await moment()
    commit(1)
    await moment()
    commit(2)
    await moment()
    expect(transactions()).toEqual(['0 for 0'])
    await begun[0]?.end()
    expect(transactions()).toEqual(['0 for 0', '1 for 1,2'])
  })

  test('are led by the partition whose last transaction is longest ago', async () => {
    const { commit, transactions, restMs } = createBed()
    restMs.set(0, 3).set(1, -10).set(2, -100)
    for (const partition of [0, 1, 2]) commit(partition)
    await moment()
    expect(transactions()).toEqual(['2 for 0,1,2'])
  })

  test('that are alone need no generation as a fence', async () => {
    const { commit, begun } = createBed()
    commit(1)
    await moment()
    expect(begun[0]).toMatchObject({ by: 1, parts: [1], as: undefined })
  })
})

describe('a transaction is not shared', () => {
  test('by large parts: theirs overlap', async () => {
    const { commit, transactions } = createBed()
    commit(0, 300)
    commit(1, 300)
    await moment()
    expect(transactions()).toEqual(['0 for 0', '1 for 1'])
  })

  test('while the group is joined anew', async () => {
    const { commit, transactions, state, begun } = createBed()
    state.tenure = null
    commit(0)
    commit(1)
    await moment()
    expect(transactions()).toEqual(['0 for 0', '1 for 1'])
    expect(begun.map(({ as }) => as)).toEqual([undefined, undefined])
  })

  test('when the group began to be joined anew before it left', async () => {
    const { commit, transactions, state } = createBed()
    commit(0)
    commit(1)
    state.tenure = null
    await moment()
    expect(transactions()).toEqual(['0 for 0', '1 for 1'])
  })

  test('with a partition that went to somebody else', async () => {
    const { commit, transactions, state } = createBed()
    for (const partition of [0, 1, 2]) commit(partition)
    state.assigned.delete(1)
    await moment()
    expect(transactions()).toEqual(['1 for 1', '0 for 0,2'])
  })

  test('for a while after one failed; by the partition that fails alone for longer', async () => {
    const { commit, begun, transactions, ends } = createBed()
    const both = async (): Promise<string[]> => {
      const before = begun.length
      commit(0)
      commit(1)
      await moment()
      return transactions().slice(before)
    }
    expect(await both()).toEqual(['0 for 0,1'])
    await begun[0]?.end(new Error('no'))
    expect(ends).toEqual(['0: no', '1: no'])

    expect(await both()).toEqual(['0 for 0', '1 for 1'])
    await begun[1]?.end(new Error('still no'))
    await begun[2]?.end()
    vi.advanceTimersByTime(6000)
    // Partition 1 shares again as soon as somebody does, and 0 does not.
    expect(await both()).toEqual(['0 for 0', '1 for 1'])
    for (const { end } of begun.slice(3)) await end()
    vi.advanceTimersByTime(30_000)
    expect(await both()).toEqual(['0 for 0,1'])
  })

  test('by more partitions than a request should hold', async () => {
    const { commit, begun } = createBed(70)
    for (let partition = 0; partition < 70; partition++) commit(partition)
    await moment()
    expect(begun.map(({ parts }) => parts.length)).toEqual([64])
    await begun[0]?.end()
    expect(begun.map(({ parts }) => parts.length)).toEqual([64, 6])
  })

  test('for a while after one that was slow; by the partition that is slow alone for longer', async () => {
    const { commit, begun, transactions } = createBed()
    const both = async (takeMs: number): Promise<string[]> => {
      const before = begun.length
      commit(0)
      commit(1)
      await moment()
      vi.advanceTimersByTime(takeMs)
      for (const { end } of begun.slice(before)) await end()
      return transactions().slice(before)
    }
    expect(await both(300)).toEqual(['0 for 0,1'])
    expect(await both(1)).toEqual(['0 for 0', '1 for 1'])
    vi.advanceTimersByTime(6000)
    expect(await both(1)).toEqual(['0 for 0,1'])
    commit(0)
    await moment()
    vi.advanceTimersByTime(300)
    await begun.at(-1)?.end()
    vi.advanceTimersByTime(6000)
    expect(await both(1)).toEqual(['0 for 0', '1 for 1'])
  })

  test('after a part that was large, as the next one will be', async () => {
    const { commit, begun, writers } = createBed()
    commit(1, 300)
    commit(0)
    await moment()
    expect(writers[1]!.restMs(1, () => undefined)).toBe(0)
    expect(writers[2]!.restMs(1, () => undefined)).toBeGreaterThan(100)
    for (const { end } of begun) await end()
  })

  test('by those who would wait long for the one before', async () => {
    const { commit, begun, transactions, ends } = createBed()
    commit(0)
    await moment()
    commit(1)
    await moment()
    expect(transactions()).toEqual(['0 for 0'])
    vi.advanceTimersByTime(250)
    commit(2)
    await moment()
    expect(transactions()).toEqual(['0 for 0', '1 for 1', '2 for 2'])
    await begun[1]?.end()
    await begun[2]?.end()
    expect(ends).toEqual(['1: 1', '2: 1'])
    // Once it has ended they share again.
    await begun[0]?.end()
    commit(1)
    commit(2)
    await moment()
    expect(transactions().at(-1)).toBe('1 for 1,2')
  })
})

describe('records are left where they are', () => {
  test('until the transaction that is under way has ended', async () => {
    const { commit, begun, writers } = createBed()
    const wake = vi.fn()
    expect(writers[1]!.restMs(1, wake)).toBe(0)
    commit(0)
    await moment()
    expect(writers[1]!.restMs(1, wake)).toBeGreaterThan(100)
    expect(wake).not.toHaveBeenCalled()
    await begun[0]?.end()
    expect(wake).toHaveBeenCalledOnce()
    expect(writers[1]!.restMs(1, wake)).toBe(0)
  })

  test('until the producer of the partition may go on, or another makes a transaction', async () => {
    const { commit, writers, restMs } = createBed()
    const wake = vi.fn()
    restMs.set(1, 4)
    expect(writers[1]!.restMs(1, wake)).toBe(4)
    commit(0)
    expect(wake).toHaveBeenCalledOnce()
    // It comes along.
    expect(writers[1]!.restMs(1, wake)).toBe(0)
  })

  test('no longer than a transaction of their own needs, where they are many or one is slow', async () => {
    const { commit, writers } = createBed()
    const wake = vi.fn()
    commit(0)
    await moment()
    expect(writers[1]!.restMs(300, wake)).toBe(0)
    expect(writers[1]!.restMs(1, wake)).toBeGreaterThan(100)
    // Not a moment later than the others are told.
    vi.advanceTimersByTime(250)
    expect(wake).toHaveBeenCalledOnce()
    expect(writers[1]!.restMs(1, wake)).toBe(0)
  })
})

describe('what is under way is settled', () => {
  test('when it has ended', async () => {
    const { commit, begun, shared } = createBed()
    const settled = vi.fn()
    await shared.settled()
    commit(0)
    await moment()
    // It has a fence of its own.
    await shared.settled()
    await begun[0]?.end()
    commit(0)
    commit(1)
    await moment()
    shared.settled().then(settled)
    await moment()
    expect(settled).not.toHaveBeenCalled()
    await begun[1]?.end()
    expect(settled).toHaveBeenCalledOnce()
  })

  test('after a second, if it does not end', async () => {
    const { commit, shared } = createBed()
    const settled = vi.fn()
    commit(0)
    commit(1)
    await moment()
    shared.settled().then(settled)
    vi.advanceTimersByTime(1000)
    await moment()
    expect(settled).toHaveBeenCalledOnce()
  })
})
