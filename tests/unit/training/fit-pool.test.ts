import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../../src/features/random.ts'
import type { Candidate, HistogramForestParameters } from '../../../src/models/candidate.ts'
import { createEstimator } from '../../../src/models/families.ts'
import type { FitTask } from '../../../src/models/fit-task.ts'
import { createHistogramForestEstimator } from '../../../src/models/forest/histogram-estimator.ts'
import { FitFailed } from '../../../src/models/model-errors.ts'
import type { NamedArray } from '../../../src/models/sections.ts'
import { createFitPool, type FitPool } from '../../../src/training/fit-pool.ts'
import { classTarget, forestParameters, rawExample, rawRows } from '../../support/histogram-rows.ts'
import { candidates } from '../../support/training-rows.ts'

// Threads of this process, and nothing outside it. On a busy machine they take seconds to start.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
let pools: FitPool[] = []
const openPool = (threads: number, memoryLimitMb?: number): FitPool => {
  const pool = createFitPool(memoryLimitMb === undefined ? { threads } : { threads, memoryLimitMb })
  pools.push(pool)
  return pool
}
// After each test: threads of many pools would wait for each other's end.
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
  pools = []
})

const histogram = (changes: Partial<HistogramForestParameters> = {}): Candidate => ({
  name: 'histogram',
  family: 'forest',
  engine: 'histogram',
  calibration: 'none',
  parameters: forestParameters({ trees: 12, ...changes }),
})

const categorical = rawRows(
  Array.from({ length: 300 }, (_, i) => [(i * 37) % 50, i % 7, i % 11 === 0 ? Number.NaN : i]),
  classTarget(Array.from({ length: 300 }, (_, i) => (((i * 37) % 50) + (i % 7) * 5) % 3)),
  [0, 7, 0],
)

/** The arrays with their bytes: these are compared faster than numbers. */
const plain = (arrays: readonly NamedArray[]): unknown =>
  arrays.map(({ name, values }) => [
    name,
    values.constructor.name,
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
  ])

/** A fit that takes minutes. */
const endless: FitTask = {
  candidate: histogram({ trees: 1_000_000, maxDepth: 30 }),
  rows: rawExample('digits'),
  seed: 1,
}

describe('a histogram forest', () => {
  it('comes out the same from any number of threads, and from none', async () => {
    for (const rows of [categorical, rawExample('diabetes')]) {
      const task = { candidate: histogram(), rows, seed: 77 }
      const alone = createHistogramForestEstimator(forestParameters({ trees: 12 })).fit(rows, 77)
      const results = await Promise.all([1, 2, 3].map((threads) => openPool(threads).fit(task)))
      for (const result of results) expect(plain(result)).toEqual(plain(alone))
    }
  })

  it('may have fewer trees and features than there are threads', async () => {
    const rows = rawRows([[1], [2], [3], [4]], classTarget([0, 0, 1, 1]))
    const fitted = await openPool(3).fit({ candidate: histogram({ trees: 1 }), rows, seed: 1 })
    expect(plain(fitted)).toEqual(plain(createHistogramForestEstimator(forestParameters({ trees: 1 })).fit(rows, 1)))
  })

  it('is refused with the same error as without threads', async () => {
    const rows = rawRows([[1], [2]], classTarget([0, 1]), [300])
    const refused = openPool(2).fit({ candidate: histogram(), rows, seed: 1 })
    await expect(refused).rejects.toBeInstanceOf(FitFailed)
    await expect(refused).rejects.toMatchObject({
      code: 'FIT_FAILED',
      message: expect.stringContaining('300 categories'),
    })
  })
})

describe('a large forest', () => {
  it('holds the event loop of its caller for less than 10 ms at a time', async () => {
    // Classes that nothing tells apart: the parts that the threads grow take some 80 MB, 100 numbers for each leaf.
    const random = createRandom(1, 'noise')
    const rows = rawRows(
      Array.from({ length: 5000 }, () => [random.next(), random.next()]),
      classTarget(Array.from({ length: 5000 }, () => random.below(100))),
    )
    const pool = openPool(2)
    // Not measured: the threads start, and the code is compiled.
    await pool.fit({ candidate: histogram({ trees: 2 }), rows, seed: 1 })
    // Processor time of this thread from turn to turn: what others do on the machine has no part in it.
    const turnsMs: number[] = []
    let last = process.threadCpuUsage()
    const beat = setInterval(() => {
      const { user, system } = process.threadCpuUsage(last)
      last = process.threadCpuUsage()
      turnsMs.push((user + system) / 1000)
    }, 1)
    await pool.fit({ candidate: histogram({ trees: 20, maxDepth: 30 }), rows, seed: 1 })
    clearInterval(beat)
    expect(turnsMs.length).toBeGreaterThan(20)
    expect(Math.max(...turnsMs)).toBeLessThan(10)
  })
})

describe('another engine', () => {
  it('is fitted in a thread as it is here', async () => {
    const rows = rawExample('iris')
    const fitted = await openPool(2).fit({ candidate: candidates.linear, rows, seed: 5 })
    expect(plain(fitted)).toEqual(plain(createEstimator(candidates.linear).fit(rows, 5)))
  })
})

describe('a fit that is aborted', () => {
  it('ends at once with the reason, and the pool goes on', async () => {
    const pool = openPool(2)
    const abort = new AbortController()
    const fit = pool.fit(endless, { signal: abort.signal })
    const other = pool.fit({ candidate: histogram(), rows: categorical, seed: 1 })
    abort.abort(new Error('the time is over'))
    await expect(fit).rejects.toMatchObject({
      code: 'FIT_ABORTED',
      message: expect.stringContaining('the time is over'),
    })
    expect((await other).length).toBeGreaterThan(0)
    expect((await pool.fit({ candidate: histogram(), rows: categorical, seed: 1 })).length).toBeGreaterThan(0)
  })

  it('while its trees are grown, too', async () => {
    const pool = openPool(2)
    const abort = new AbortController()
    const fit = pool.fit(endless, { signal: abort.signal })
    // Behind it in the queue: it runs once a thread is free, which is after the abort.
    const behind = pool.fit({ candidate: histogram(), rows: categorical, seed: 1 })
    setTimeout(() => abort.abort(new Error('stop')), 100)
    await expect(fit).rejects.toMatchObject({ code: 'FIT_ABORTED' })
    expect((await behind).length).toBeGreaterThan(0)
  })

  it('is not begun where the signal is aborted already', async () => {
    const fit = openPool(1).fit(endless, { signal: AbortSignal.abort(new Error('too late')) })
    await expect(fit).rejects.toMatchObject({ code: 'FIT_ABORTED', message: expect.stringContaining('too late') })
  })
})

describe('a pool', () => {
  it('tells of a thread without memory, and goes on', async () => {
    const pool = openPool(1, 16)
    // ml-svm keeps a matrix of all pairs of rows: 32 MB.
    const rows = rawRows(
      Array.from({ length: 2000 }, (_, i) => [i, (i * 7919) % 1000]),
      classTarget(Array.from({ length: 2000 }, (_, i) => i % 2)),
    )
    await expect(pool.fit({ candidate: candidates.rbf, rows, seed: 1 })).rejects.toMatchObject({
      code: 'FIT_FAILED',
      message: expect.stringContaining('16 MiB'),
    })
    expect((await pool.fit({ candidate: histogram(), rows: categorical, seed: 1 })).length).toBeGreaterThan(0)
  })

  it('works within a thread, too', async () => {
    const thread = new Worker(new URL('../../support/programs/fit-in-thread.ts', import.meta.url))
    try {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      thread.once('message', resolve)
      thread.once('error', reject)
      expect(await promise).toBe(createHistogramForestEstimator(forestParameters()).fit(rawExample('iris'), 3).length)
    } finally {
      await thread.terminate()
    }
  })

  it('rejects what still runs when it is closed, and what comes later', async () => {
    const pool = openPool(1)
    const closed = { code: 'FIT_THREAD_DIED', message: expect.stringContaining('the pool was closed') }
    const settled = expect(pool.fit(endless)).rejects.toMatchObject(closed)
    await pool.close()
    await settled
    await expect(pool.fit({ candidate: histogram(), rows: categorical, seed: 1 })).rejects.toMatchObject(closed)
  })

  it('rejects its fits where no thread can be started, and does not end the process', async () => {
    const entry = new URL('../../support/programs/broken-entry.ts', import.meta.url)
    const pool = createFitPool({ threads: 3, entry })
    pools.push(pool)
    const task = { candidate: histogram({ trees: 1 }), rows: rawRows([[1], [2]], classTarget([0, 1])), seed: 1 }
    const died = { code: 'FIT_THREAD_DIED', message: expect.stringContaining('no thread starts with this') }
    for (let fit = 0; fit < 3; fit++) await expect(pool.fit(task)).rejects.toMatchObject(died)
  })

  it('says so where there is no memory for an array', async () => {
    const rows = { ...rawRows([[1], [2]], classTarget([0, 1])), rows: 2 ** 45 }
    const fit = openPool(1).fit({ candidate: histogram(), rows, seed: 1 })
    await expect(fit).rejects.toMatchObject({ code: 'FIT_FAILED', message: expect.stringContaining('no memory') })
  })
})
