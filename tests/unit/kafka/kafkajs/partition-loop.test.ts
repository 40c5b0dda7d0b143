import type { EachBatchPayload } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../../../src/errors.ts'
import { createPartitionLoop, type PartitionWork } from '../../../../src/kafka/kafkajs/partition-loop.ts'
import type { ProducerIdentity } from '../../../../src/kafka/wire/producer-identity.ts'
import { createBatchSink } from '../../../../src/kafka/wire/record-sink.ts'
import { testLogger } from '../../../support/test-logger.ts'

const protocol = (type: string): Error => Object.assign(new Error(type), { type })

/** A batch of records with these offsets, as a broker sends it. */
const recordsBetween = (from: number, to: number, identity: ProducerIdentity | null = null): Buffer => {
  const sink = createBatchSink()
  for (let i = from; i < to; i++) sink.add({ topic: 't', partition: 0, key: null, value: null })
  const bytes = Buffer.from(sink.finish(identity)[0]?.[0]?.bytes ?? [])
  bytes.writeBigInt64BE(BigInt(from))
  return bytes
}

type Work = Partial<Omit<PartitionWork, 'handle'>> & {
  committed?: () => bigint
  handle?: (...chunk: Parameters<PartitionWork['handle']>) => Promise<void>
}

/** A broker's side of one partition with `length` records: it hands out batches from where it was told to read. */
const createBed = ({ committed, handle, ...work }: Work = {}, length = 10, end?: bigint) => {
  const log: string[] = []
  let position = 0
  let paused = false
  let seek: number | null = null
  const loop = createPartitionLoop(
    {
      logger: testLogger(),
      topic: 't',
      partition: 0,
      chunkMaxRecords: 4,
      chunkGoalMs: 1000,
      chunkSafetyMs: 1000,
      endOffset: end,
      observer: undefined,
      reachedEnd: () => log.push('end'),
      seek: (offset) => {
        seek = Number(offset)
        log.push(`seek ${offset}`)
      },
      pause: () => {
        paused = true
      },
      resume: () => {
        paused = false
      },
      fail: (error) => log.push(`fail ${(error as AppError).code}`),
    },
    {
      start: async () => {
        log.push('start')
        return committed?.() ?? 0n
      },
      handle: async (batch, nextOffset) => {
        const started = performance.now()
        if (handle !== undefined) await handle(batch, nextOffset)
        else log.push(`handle ${batch.offsets[0]}..${nextOffset}`)
        return performance.now() - started
      },
      skip: async (nextOffset) => {
        log.push(`skip ${nextOffset}`)
      },
      release: () => log.push('release'),
      ...work,
    },
  )
  const payload = (overrides: Partial<EachBatchPayload> = {}): EachBatchPayload =>
    ({
      batch: {
        topic: 't',
        partition: 0,
        fetchedOffset: String(position),
        messages: [{ carried: { records: recordsBetween(position, length), abortedTransactions: [] } }],
      },
      resolveOffset: (offset: string) => {
        position = Number(offset) + 1
      },
      heartbeat: async () => undefined,
      isRunning: () => true,
      isStale: () => seek !== null,
      ...overrides,
    }) as unknown as EachBatchPayload
  return {
    loop,
    log,
    isPaused: () => paused,
    /** Fetches as the consumer would: from where it was told to, unless it is paused. */
    fetch: async (overrides?: Partial<EachBatchPayload>) => {
      if (paused) return
      if (seek !== null) position = seek
      seek = null
      await loop.onBatch(payload(overrides))
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('starts once, and handles a batch in chunks that cover it', async () => {
  const bed = createBed()
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'handle 0..4', 'handle 4..8', 'handle 8..10'])
})

test('goes on from the committed offset, not from where the consumer happens to read', async () => {
  const bed = createBed({ committed: () => 6n })
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'seek 6'])
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'seek 6', 'handle 6..10'])
})

test('drops the rest of a batch when the group is joined anew, and starts again', async () => {
  const bed = createBed({
    handle: async (batch) => {
      bed.log.push(`handle ${batch.offsets[0]}`)
      if (batch.offsets[0] === 0) bed.loop.onJoin(true)
    },
  })
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'handle 0', 'release'])
  await bed.fetch()
  expect(bed.log.slice(3)).toEqual(['start', 'handle 0', 'release'])
})

test('ignores batches while one is at hand', async () => {
  const gate = Promise.withResolvers<void>()
  const bed = createBed({
    handle: async () => {
      bed.log.push('handle')
      await gate.promise
    },
  })
  const first = bed.fetch()
  await vi.advanceTimersByTimeAsync(0)
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'handle'])
  gate.resolve()
  await first
})

test('stops after the chunk at hand when the consumer stops', async () => {
  const bed = createBed()
  let running = true
  await bed.fetch({
    isRunning: () => running,
    heartbeat: async () => {
      running = false
    },
  })
  expect(bed.log).toEqual(['start', 'handle 0..4'])
})

describe('failures', () => {
  test('after one, it lets go, waits, starts again and meets the same records', async () => {
    let failures = 0
    const bed = createBed({
      handle: async (batch) => {
        if (failures++ < 2) throw new Error('no')
        bed.log.push(`handle ${batch.offsets[0]}`)
      },
    })
    await bed.fetch()
    expect(bed.log).toEqual(['start', 'release'])
    expect(bed.isPaused()).toBe(true)
    await vi.advanceTimersByTimeAsync(50)
    expect(bed.isPaused()).toBe(false)
    await bed.fetch()
    await vi.advanceTimersByTimeAsync(100)
    await bed.fetch()
    expect(bed.log).toEqual(['start', 'release', 'start', 'release', 'start', 'handle 0', 'handle 4', 'handle 8'])
  })

  test('it gives up after many in a row', async () => {
    const bed = createBed({ handle: () => Promise.reject(new Error('never')) })
    for (let i = 0; i < 20 && !bed.log.includes('fail CONSUMER_FAILED'); i++) {
      await bed.fetch()
      await vi.advanceTimersByTimeAsync(5000)
    }
    expect(bed.log.filter((line) => line === 'start')).toHaveLength(12)
    expect(bed.log.at(-1)).toBe('fail CONSUMER_FAILED')
  })

  test('a chunk that goes through makes up for the ones before', async () => {
    let calls = 0
    const bed = createBed({ handle: async () => (++calls % 5 === 0 ? undefined : Promise.reject(new Error('mostly'))) })
    for (let i = 0; i < 40; i++) {
      await bed.fetch()
      await vi.advanceTimersByTimeAsync(5000)
    }
    expect(calls).toBeGreaterThan(12)
    expect(bed.log).not.toContain('fail CONSUMER_FAILED')
  })

  test('it waits for ever for what is retryable, asks at least once a second, and keeps what it has', async () => {
    let asked = 0
    const bed = createBed({
      handle: async () => {
        asked++
        throw new AppError('NO_MODEL', 'none yet', { retryable: true })
      },
    })
    for (let i = 0; i < 60; i++) {
      await bed.fetch()
      await vi.advanceTimersByTimeAsync(1000)
      expect(bed.isPaused()).toBe(false)
    }
    expect(asked).toBe(60)
    expect(bed.log).toEqual(['start'])
  })

  test('a start that has to wait is begun again', async () => {
    let starts = 0
    const bed = createBed({
      start: async () => {
        if (++starts < 3) throw new AppError('KAFKA_UNAVAILABLE', 'no stable offset', { retryable: true })
        return 0n
      },
    })
    for (let i = 0; i < 3; i++) {
      await bed.fetch()
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(bed.log).toEqual(['release', 'release', 'handle 0..4', 'handle 4..8', 'handle 8..10'])
  })

  test('fenced by another, it does not fence back before the group says that the partition is still its own', async () => {
    let fenced = true
    const bed = createBed({
      handle: async () => {
        if (fenced) throw new Error('gave up', { cause: protocol('INVALID_PRODUCER_EPOCH') })
      },
    })
    await bed.fetch()
    fenced = false
    await vi.advanceTimersByTimeAsync(600_000)
    expect(bed.isPaused()).toBe(true)
    bed.loop.onHeartbeat()
    expect(bed.isPaused()).toBe(false)
    await bed.fetch()
    expect(bed.log).toEqual(['start', 'release', 'start'])
  })

  test('kafkajs hears that the group rebalances, in its own words, and about failed heartbeats', async () => {
    const rebalancing = protocol('REBALANCE_IN_PROGRESS')
    const bed = createBed({ handle: () => Promise.reject(new Error('gave up', { cause: rebalancing })) })
    await expect(bed.fetch()).rejects.toBe(rebalancing)
    expect(bed.log).toEqual(['start', 'release'])

    const lost = new Error('connection lost')
    const other = createBed()
    await expect(other.fetch({ heartbeat: () => Promise.reject(lost) })).rejects.toBe(lost)
  })

  test('an offset that cannot be read from is a failure, not an endless search', async () => {
    // The topic was made anew and is shorter than what was committed.
    const bed = createBed({ committed: () => 500n })
    for (let i = 0; i < 400 && !bed.log.includes('fail CONSUMER_FAILED'); i++) {
      await bed.loop.onBatch({
        batch: { fetchedOffset: '0', messages: [] },
        isRunning: () => true,
        isStale: () => false,
      } as unknown as EachBatchPayload)
      await vi.advanceTimersByTimeAsync(5000)
    }
    expect(bed.log.at(-1)).toBe('fail CONSUMER_FAILED')
  })
})

describe('an end', () => {
  test('is where reading stops, and it is told', async () => {
    const bed = createBed({}, 10, 6n)
    await bed.fetch()
    expect(bed.log).toEqual(['start', 'handle 0..4', 'handle 4..6', 'release', 'end'])
    expect(bed.isPaused()).toBe(true)
  })

  test('that lies behind what is committed is told without reading', async () => {
    const bed = createBed({ committed: () => 8n }, 10, 6n)
    await bed.fetch()
    expect(bed.log).toEqual(['start', 'release', 'end'])
  })

  test('is looked for again when the group is joined anew', async () => {
    const bed = createBed({ committed: () => 6n }, 10, 6n)
    await bed.fetch()
    bed.loop.onJoin(true)
    expect(bed.isPaused()).toBe(false)
    await bed.fetch()
    expect(bed.log.filter((line) => line === 'end')).toHaveLength(2)
  })
})

test('where only traces of transactions came, their offsets are committed', async () => {
  const bed = createBed()
  const producerId = 7n
  const records = recordsBetween(0, 3, { producerId, producerEpoch: 0, transactional: true, baseSequenceOf: () => 0 })
  const abortedTransactions = [{ producerId, firstOffset: 0n }]
  await bed.loop.onBatch({
    batch: { fetchedOffset: '0', messages: [{ carried: { records, abortedTransactions } }] },
    resolveOffset: (offset: string) => bed.log.push(`resolve ${offset}`),
    heartbeat: async () => undefined,
    isRunning: () => true,
    isStale: () => false,
  } as unknown as EachBatchPayload)
  expect(bed.log).toEqual(['start', 'skip 3', 'resolve 2'])
})

test('a batch that cannot be read ends the consumer at once, with what stands before it done', async () => {
  const bed = createBed()
  const damaged = recordsBetween(3, 6)
  damaged.writeInt8(1, 16)
  const records = Buffer.concat([recordsBetween(0, 3), damaged])
  await bed.fetch({
    batch: {
      topic: 't',
      partition: 0,
      fetchedOffset: '0',
      messages: [{ carried: { records, abortedTransactions: [] } }],
    },
  } as unknown as Partial<EachBatchPayload>)
  expect(bed.log).toEqual(['start', 'handle 0..3', 'release', 'fail CONSUMER_FAILED'])
})

test('a slow chunk is followed by smaller ones', async () => {
  const bed = createBed({
    handle: async (batch) => {
      bed.log.push(`handle ${batch.length}`)
      await vi.advanceTimersByTimeAsync(1500)
    },
  })
  await bed.fetch()
  expect(bed.log).toEqual(['start', 'handle 4', 'handle 2', 'handle 1', 'handle 1', 'handle 1', 'handle 1'])
})

test('a chunk that failed because it took too long comes back smaller, until it goes through', async () => {
  const bed = createBed({
    handle: async (batch) => {
      bed.log.push(`handle ${batch.length}`)
      await vi.advanceTimersByTimeAsync(batch.length * 500)
      if (batch.length > 2) throw new Error('expelled meanwhile')
    },
  })
  await bed.fetch()
  await vi.advanceTimersByTimeAsync(5000)
  await bed.fetch()
  expect(bed.log.slice(0, 6)).toEqual(['start', 'handle 4', 'release', 'start', 'handle 2', 'handle 2'])
})

test('tells how long records have been waiting', async () => {
  const gate = Promise.withResolvers<void>()
  const bed = createBed({ handle: () => gate.promise })
  expect(bed.loop.waitingSince()).toBeNull()
  const since = performance.now()
  const fetched = bed.fetch()
  await vi.advanceTimersByTimeAsync(10)
  expect(bed.loop.waitingSince()).toBe(since)
  gate.resolve()
  await fetched
  expect(bed.loop.waitingSince()).toBeNull()
})
