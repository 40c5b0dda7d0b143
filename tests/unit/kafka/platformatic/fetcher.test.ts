import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KafkaUnavailable } from '../../../../src/kafka/kafka-errors.ts'
import type { Cluster } from '../../../../src/kafka/platformatic/cluster.ts'
import type { BrokerLink, ConnectionPool } from '../../../../src/kafka/platformatic/connections.ts'
import { createFetcher, type Fetcher, type FetchSource } from '../../../../src/kafka/platformatic/fetcher.ts'
import type { FetchReply } from '../../../../src/kafka/wire/fetch-protocol.ts'
import { dataBatch, queueFrom } from '../../../support/record-batches.ts'
import { testLogger } from '../../../support/test-logger.ts'

const OFFSET_OUT_OF_RANGE = 1
const NOT_LEADER = 6

type Answer = { errorCode?: number; records?: Buffer }

/** Brokers that answer, after 10 ms, what they are told for each partition of topic `t`. */
const createBed = (leaders: Record<number, number | null>) => {
  const answers = new Map<number, Answer>()
  const log: string[] = []
  let underWay = 0
  let mostUnderWay = 0
  let down = false

  const linkTo = (nodeId: number): BrokerLink =>
    ({
      versions: { rangeOf: () => ({ min: 4, max: 12 }) },
      request: async (): Promise<FetchReply> => {
        log.push(`fetch ${nodeId}`)
        underWay++
        mostUnderWay = Math.max(mostUnderWay, underWay)
        await new Promise((resolve) => setTimeout(resolve, 10))
        underWay--
        if (down) throw new KafkaUnavailable('no answer')
        const partitions = sources
          .filter(({ partition }) => leaders[partition] === nodeId || answers.has(partition))
          .map(({ partition }) => ({
            topic: 't',
            partition,
            errorCode: answers.get(partition)?.errorCode ?? 0,
            highWatermark: 0n,
            lastStableOffset: 0n,
            logStartOffset: 0n,
            abortedTransactions: [],
            leader: null,
            records: answers.get(partition)?.records ?? null,
          }))
        return { throttleTimeMs: 0, errorCode: 0, partitions }
      },
    }) as unknown as BrokerLink
  const cluster = {
    leaderOf: async (_topic: string, partition: number) => {
      const nodeId = leaders[partition]
      if (nodeId === null || nodeId === undefined) throw new KafkaUnavailable('no leader')
      return { nodeId, host: 'h', port: nodeId }
    },
    forgetTopic: () => log.push('forget'),
  } as unknown as Cluster
  const pool = { link: async ({ port }: { port: number }) => linkTo(port) } as unknown as ConnectionPool
  const fetcher: Fetcher = createFetcher({ logger: testLogger(), cluster, pool, observer: undefined })
  const sources: FetchSource[] = []
  const add = (partition: number): FetchSource & { progress: number; refusals: string[] } => {
    const state = { progress: 0, refusals: [] as string[] }
    const source = Object.assign(state, {
      topic: 't',
      partition,
      queue: queueFrom(0),
      wanted: () => true,
      onProgress: () => {
        state.progress++
      },
      onRefused: (error: { type: string }) => {
        state.refusals.push(error.type)
        fetcher.remove(source)
      },
    })
    sources.push(source)
    fetcher.add(source)
    return source
  }
  return {
    ...{ fetcher, add, answers, leaders, log },
    mostUnderWay: () => mostUnderWay,
    goDown: (value: boolean) => {
      down = value
    },
    fetchesOf: (nodeId: number) => log.filter((line) => line === `fetch ${nodeId}`).length,
  }
}

let fetcher: Fetcher | undefined
const bedOf = (leaders: Record<number, number | null>): ReturnType<typeof createBed> => {
  const bed = createBed(leaders)
  fetcher = bed.fetcher
  return bed
}
beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  fetcher?.close()
  vi.useRealTimers()
})

describe('the fetcher', () => {
  test('asks each broker for its partitions, one request at a time', async () => {
    const { add, fetchesOf, mostUnderWay } = bedOf({ 0: 1, 1: 1, 2: 2 })
    for (const partition of [0, 1, 2]) add(partition)
    await vi.advanceTimersByTimeAsync(100)
    expect(mostUnderWay()).toBe(2)
    expect(fetchesOf(1)).toBeGreaterThanOrEqual(9)
    expect(fetchesOf(1)).toBeLessThanOrEqual(11)
    expect(Math.abs(fetchesOf(1) - fetchesOf(2))).toBeLessThanOrEqual(1)
  })

  test('puts what came into the queue of its partition', async () => {
    const { add, answers } = bedOf({ 0: 1 })
    answers.set(0, { records: dataBatch(7n, [0, 1, 2]) })
    const source = add(0)
    await vi.advanceTimersByTimeAsync(15)
    expect(source.queue.records).toBe(3)
    expect(source.queue.fetchOffset).toBe(3n)
    expect(source.progress).toBe(1)
  })

  test('asks nothing for who has no room, and goes on when there is room again', async () => {
    const { add, fetcher, log } = bedOf({ 0: 1 })
    const source = add(0)
    let wanted = false
    Object.assign(source, { wanted: () => wanted })
    await vi.advanceTimersByTimeAsync(1000)
    expect(log).toEqual([])
    wanted = true
    fetcher.wake()
    await vi.advanceTimersByTimeAsync(1)
    expect(log).toEqual(['fetch 1'])
  })

  test('follows a leader that moved', async () => {
    const { add, answers, leaders, fetchesOf } = bedOf({ 0: 1 })
    const source = add(0)
    answers.set(0, { errorCode: NOT_LEADER })
    await vi.advanceTimersByTimeAsync(5)
    leaders[0] = 2
    answers.set(0, { errorCode: NOT_LEADER })
    await vi.advanceTimersByTimeAsync(10)
    answers.clear()
    await vi.advanceTimersByTimeAsync(200)
    expect(fetchesOf(1)).toBe(1)
    expect(fetchesOf(2)).toBeGreaterThan(5)
    expect(source.refusals).toEqual([])
  })

  test('a partition without a leader, or that always is elsewhere, slows no other', async () => {
    const { add, answers, fetchesOf, log } = bedOf({ 0: 1, 1: null, 2: 1 })
    answers.set(2, { errorCode: NOT_LEADER })
    for (const partition of [0, 1, 2]) add(partition)
    await vi.advanceTimersByTimeAsync(5000)
    expect(fetchesOf(1)).toBeGreaterThan(480)
    // And what is not there is not asked for all the time.
    expect(log.filter((line) => line === 'forget').length).toBeLessThan(40)
  })

  test('comes back to a broker that did not answer for a while', async () => {
    const { add, goDown, fetchesOf } = bedOf({ 0: 1 })
    goDown(true)
    add(0)
    await vi.advanceTimersByTimeAsync(10_000)
    const whileDown = fetchesOf(1)
    expect(whileDown).toBeLessThan(40)
    goDown(false)
    await vi.advanceTimersByTimeAsync(2000)
    expect(fetchesOf(1) - whileDown).toBeGreaterThan(50)
  })

  test('tells the partition that its offset is not in the log', async () => {
    const { add, answers, fetchesOf } = bedOf({ 0: 1 })
    answers.set(0, { errorCode: OFFSET_OUT_OF_RANGE })
    const source = add(0)
    await vi.advanceTimersByTimeAsync(100)
    expect(source.refusals).toEqual(['OFFSET_OUT_OF_RANGE'])
    expect(fetchesOf(1)).toBe(1)
  })
})
