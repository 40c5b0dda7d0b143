import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../../../src/errors.ts'
import { KafkaUnavailable } from '../../../../src/kafka/kafka-errors.ts'
import type { FetchSource } from '../../../../src/kafka/platformatic/fetcher.ts'
import { createPartitionLoop } from '../../../../src/kafka/platformatic/partition-loop.ts'
import type { Committed, PartitionWork } from '../../../../src/kafka/platformatic/partition-work.ts'
import { BrokerRefused } from '../../../../src/kafka/platformatic/protocol-errors.ts'
import { dataBatch, markerBatch } from '../../../support/record-batches.ts'
import { testLogger } from '../../../support/test-logger.ts'

const OFFSET_OUT_OF_RANGE = 1
const ILLEGAL_GENERATION = 22
const PRODUCER_FENCED = 90

/** Markers of transactions that were committed lie at these offsets, and records at all others. */
const batchesOf = (from: number, to: number, markers: readonly number[]): Buffer =>
  Buffer.concat(
    Array.from({ length: to - from }, (_, i) => from + i).map((offset) =>
      markers.includes(offset) ? markerBatch(7n, offset, 'commit') : dataBatch(7n, [offset]),
    ),
  )

const done: Committed = { records: 0, transactions: 1 }

type Bed = {
  log: string[]
  aborted: [string, unknown][]
  loop: ReturnType<typeof createPartitionLoop>
  extend: (to: number) => void
}

/** A loop over a log of `length` records and markers. */
const createBed = (
  work: Partial<PartitionWork> & { committed?: () => bigint } = {},
  { length = 10, end, markers = [] }: { length?: number; end?: bigint; markers?: number[] } = {},
): Bed => {
  const log: string[] = []
  const aborted: [string, unknown][] = []
  let source: FetchSource | undefined
  let logEnd = length
  const feed = (): void => {
    queueMicrotask(() => {
      if (source?.wanted() !== true) return
      const from = source.queue.fetchOffset
      if (from > BigInt(logEnd)) return source.onRefused(new BrokerRefused('no', OFFSET_OUT_OF_RANGE))
      if (from === BigInt(logEnd)) return
      source.queue.push({ records: batchesOf(Number(from), logEnd, markers), abortedTransactions: [] }, from)
      source.onProgress()
    })
  }
  const loop = createPartitionLoop(
    {
      logger: testLogger(),
      topic: 't',
      partition: 0,
      fetcher: {
        add: (added) => {
          source = added
          feed()
        },
        remove: () => {
          source = undefined
        },
        wake: feed,
        close: () => undefined,
      },
      chunkMaxRecords: 4,
      chunkGoalMs: 1000,
      chunkSafetyMs: 1000,
      endOffset: end,
      observer: undefined,
      aborted: ({ code }, commitError) => aborted.push([code, commitError]),
      onFinished: () => log.push('finished'),
      doubt: () => log.push('doubt'),
      fail: (error) => log.push(`fail ${(error as AppError).code}`),
    },
    {
      start: async () => {
        log.push('start')
        return work.committed?.() ?? 0n
      },
      logStart: async () => 0n,
      process: (batch) => {
        log.push(`process ${batch.offsets[0]}+${batch.length}`)
      },
      commit: async (nextOffset) => {
        log.push(`commit ${nextOffset}`)
        return done
      },
      restMs: () => 0,
      mayCommitIdle: () => true,
      release: () => log.push('release'),
      ...work,
    },
    Promise.resolve(),
  )
  return {
    log,
    aborted,
    loop,
    extend: (to) => {
      logEnd = to
      feed()
    },
  }
}

const beds: Bed[] = []
const bedOf = (...args: Parameters<typeof createBed>): Bed => {
  const bed = createBed(...args)
  beds.push(bed)
  return bed
}
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => vi.useFakeTimers())
afterEach(async () => {
  for (const { loop } of beds.splice(0)) loop.close()
  await settle()
  vi.useRealTimers()
})

describe('the loop of a partition', () => {
  test('lets records join the chunk while the broker would not take it yet, unless it is full', async () => {
    let restUntil = 0
    const { log, extend } = bedOf(
      {
        restMs: () => restUntil - performance.now(),
        commit: async (offset) => {
          log.push(`commit ${offset}`)
          return done
        },
      },
      { length: 1 },
    )
    await settle()
    expect(log).toEqual(['start', 'process 0+1', 'commit 1'])
    restUntil = performance.now() + 10
    extend(2)
    await vi.advanceTimersByTimeAsync(5)
    extend(4)
    expect(log.at(-1)).toBe('commit 1')
    await vi.advanceTimersByTimeAsync(5)
    expect(log.slice(3)).toEqual(['process 1+3', 'commit 4'])
    restUntil = performance.now() + 10
    extend(8)
    await settle()
    expect(log.slice(5)).toEqual(['process 4+4', 'commit 8'])
  })

  test('starts, then processes and commits chunk by chunk', async () => {
    const { log } = bedOf()
    await settle()
    expect(log).toEqual([
      'start',
      ...['process 0+4', 'commit 4', 'process 4+4', 'commit 8', 'process 8+2', 'commit 10'],
    ])
  })

  test('takes what arrives later at once', async () => {
    const { log, extend } = bedOf({}, { length: 0 })
    await settle()
    extend(3)
    await settle()
    expect(log).toEqual(['start', 'process 0+3', 'commit 3'])
  })

  test('after a failed commit starts over at what is committed', async () => {
    let committed = 0n
    let failures = 1
    const { log } = bedOf({
      committed: () => committed,
      commit: async (nextOffset) => {
        if (nextOffset === 8n && failures-- > 0) throw new Error('lost')
        committed = nextOffset
        log.push(`commit ${nextOffset}`)
        return done
      },
    })
    await vi.advanceTimersByTimeAsync(100)
    expect(log).toEqual([
      ...['start', 'process 0+4', 'commit 4', 'process 4+4', 'release'],
      ...['start', 'process 4+4', 'commit 8', 'process 8+2', 'commit 10'],
    ])
  })

  test('tells what did not go through, and of a commit why: others may fail of the same', async () => {
    const refusal = new BrokerRefused('no', PRODUCER_FENCED)
    const process = vi.fn<PartitionWork['process']>().mockImplementationOnce(() => {
      throw new Error('handler')
    })
    const commit = vi.fn<PartitionWork['commit']>().mockRejectedValueOnce(refusal).mockResolvedValue(done)
    const { aborted } = bedOf({ process, commit })
    await vi.advanceTimersByTimeAsync(500)
    expect(aborted).toEqual([
      ['UNKNOWN', null],
      ['PRODUCER_FENCED', refusal],
    ])
  })

  test('takes the offset for the truth when a commit failed that took place', async () => {
    let committed = 0n
    let failures = 1
    const { log } = bedOf({
      committed: () => committed,
      commit: async (nextOffset) => {
        committed = nextOffset
        if (nextOffset === 4n && failures-- > 0) throw new Error('no answer')
        return done
      },
    })
    await vi.advanceTimersByTimeAsync(100)
    expect(log.filter((line) => line.startsWith('process'))).toEqual(['process 0+4', 'process 4+4', 'process 8+2'])
  })

  test('hands the same records in again while something is missing, without another start', async () => {
    let missing = 3
    const { log } = bedOf(
      {
        process: (batch) => {
          log.push(`process ${batch.offsets[0]}+${batch.length}`)
          if (missing-- > 0) throw new AppError('NO_MODEL', 'no model', { retryable: true })
        },
      },
      { length: 4 },
    )
    await vi.advanceTimersByTimeAsync(2000)
    expect(log).toEqual(['start', ...Array(4).fill('process 0+4'), 'commit 4'])
  })

  test('waits for brokers however long it takes', async () => {
    let down = true
    const { log } = bedOf({
      start: async () => {
        if (down) throw new KafkaUnavailable('nobody answers')
        log.push('start')
        return 0n
      },
    })
    await vi.advanceTimersByTimeAsync(600_000)
    expect(log.some((line) => line.startsWith('fail'))).toBe(false)
    down = false
    await vi.advanceTimersByTimeAsync(2000)
    expect(log.at(-1)).toBe('commit 10')
  })

  test('ends the consumer after many failures in a row, and not in a hurry', async () => {
    const { log } = bedOf({
      process: () => {
        throw new Error('a bug')
      },
    })
    await vi.advanceTimersByTimeAsync(3000)
    expect(log.some((line) => line.startsWith('fail'))).toBe(false)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log.filter((line) => line === 'start').length).toBeGreaterThanOrEqual(12)
    expect(log).toContain('fail CONSUMER_FAILED')
  })

  test.each([
    ['fenced', PRODUCER_FENCED],
    ['of an older generation', ILLEGAL_GENERATION],
  ])('a commit that is %s: nothing is begun until the membership is confirmed', async (_what, code) => {
    let refusals = 1
    const { log, loop } = bedOf(
      {
        commit: async (nextOffset) => {
          if (refusals-- > 0) throw new BrokerRefused('refused', code)
          log.push(`commit ${nextOffset}`)
          return done
        },
      },
      { length: 4 },
    )
    await vi.advanceTimersByTimeAsync(120_000)
    expect(log).toEqual(['start', 'process 0+4', 'release', 'doubt'])
    loop.onConfirmed()
    await settle()
    expect(log.slice(4)).toEqual(['start', 'process 0+4', 'commit 4'])
  })

  test('begins nothing once it is closed, but ends what it has begun', async () => {
    const committing = Promise.withResolvers<void>()
    const { log, loop } = bedOf({
      commit: async (nextOffset) => {
        await committing.promise
        log.push(`commit ${nextOffset}`)
        return done
      },
    })
    await settle()
    loop.close()
    committing.resolve()
    await loop.ended
    expect(log).toEqual(['start', 'process 0+4', 'commit 4', 'release'])
  })

  test('is closed at once while a broker does not answer it', async () => {
    const started = Promise.withResolvers<bigint>()
    const { log, loop } = bedOf({ start: () => started.promise })
    await settle()
    await loop.close()
    started.resolve(0n)
    await loop.ended
    expect(log).toEqual(['release'])
  })

  test('is closed when what it has begun is through', async () => {
    const committing = Promise.withResolvers<void>()
    const { log, loop } = bedOf({
      commit: async (nextOffset) => {
        await committing.promise
        log.push(`commit ${nextOffset}`)
        return done
      },
    })
    await settle()
    const closed = loop.close().then(() => log.push('closed'))
    await settle()
    expect(log).not.toContain('closed')
    committing.resolve()
    await closed
    expect(log).toEqual(['start', 'process 0+4', 'commit 4', 'release', 'closed'])
  })

  test('begins nothing while it is held, until the membership is confirmed', async () => {
    const { log, loop, extend } = bedOf({}, { length: 4 })
    await settle()
    loop.hold()
    extend(8)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(log).toEqual(['start', 'process 0+4', 'commit 4'])
    loop.onConfirmed()
    await settle()
    expect(log.slice(3)).toEqual(['process 4+4', 'commit 8'])
  })

  test('is busy from its records to their commit, and not while it waits for records or a model', async () => {
    const processing = Promise.withResolvers<void>()
    let missing = true
    const { loop, extend } = bedOf(
      {
        process: async () => {
          if (missing) throw new AppError('NO_MODEL', 'no model', { retryable: true })
          await processing.promise
        },
      },
      { length: 0 },
    )
    await settle()
    expect(loop.busySince()).toBeNull()
    extend(1)
    await settle()
    expect(loop.busySince()).toBeNull()
    missing = false
    await vi.advanceTimersByTimeAsync(2000)
    const since = loop.busySince()
    expect(since).not.toBeNull()
    await vi.advanceTimersByTimeAsync(5000)
    expect(loop.busySince()).toBe(since)
    processing.resolve()
    await settle()
    expect(loop.busySince()).toBeNull()
  })

  test('ends at its end offset, and tells that it did', async () => {
    const { log } = bedOf({}, { length: 10, end: 6n })
    await settle()
    expect(log).toEqual(['start', 'process 0+4', 'commit 4', 'process 4+2', 'commit 6', 'finished'])
  })

  test('has nothing to do where its end is committed already', async () => {
    const { log } = bedOf({ committed: () => 7n }, { length: 10, end: 6n })
    await settle()
    expect(log).toEqual(['start', 'finished'])
  })

  test('goes on at the start of the log where records expired unread', async () => {
    const { log } = bedOf({ committed: () => 99n, logStart: async () => 5n }, { length: 9 })
    await settle()
    expect(log).toEqual(['start', 'process 5+4', 'commit 9'])
  })

  test('commits what lies behind records that are not for us: with them, or once nothing else comes', async () => {
    const { log, extend } = bedOf({}, { length: 3, markers: [2, 3, 4] })
    await settle()
    expect(log).toEqual(['start', 'process 0+2', 'commit 3'])
    extend(4)
    await vi.advanceTimersByTimeAsync(100)
    extend(5)
    await settle()
    expect(log).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1000)
    expect(log.slice(3)).toEqual(['commit 5'])
  })

  test('leaves an offset alone that the handler did not ask for', async () => {
    const { log } = bedOf({ mayCommitIdle: () => false }, { length: 2, markers: [0, 1] })
    await vi.advanceTimersByTimeAsync(5000)
    expect(log).toEqual(['start'])
  })

  test('ends where nothing but markers lies before its end', async () => {
    const { log } = bedOf({}, { length: 4, markers: [2, 3], end: 4n })
    await settle()
    expect(log).toEqual(['start', 'process 0+2', 'commit 4', 'finished'])
    const only = bedOf({}, { length: 2, markers: [0, 1], end: 2n })
    await settle()
    expect(only.log).toEqual(['start', 'commit 2', 'finished'])
  })
})
