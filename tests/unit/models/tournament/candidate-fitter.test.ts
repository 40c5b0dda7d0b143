import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../../src/models/candidate.ts'
import { fitHere } from '../../../../src/models/fit-here.ts'
import type { FitRunner } from '../../../../src/models/fit-task.ts'
import { createCandidateFitter, type FitterDeps } from '../../../../src/models/tournament/candidate-fitter.ts'
import { estimateFitMiB } from '../../../../src/models/tournament/fit-memory.ts'
import { createFitSlots } from '../../../../src/models/tournament/fit-slots.ts'
import { classifiers } from '../../../support/engine-candidates.ts'
import { candidates, iris } from '../../../support/training-rows.ts'

/** A clock that stands until a timer is let elapse. */
const createClock = () => {
  let nowMs = 0
  let timer: { at: number; call: () => void } | null = null
  return {
    now: () => nowMs,
    startTimer: (afterMs: number, call: () => void) => {
      timer = { at: nowMs + afterMs, call }
      return () => {
        timer = null
      }
    },
    elapse: () => {
      const due = timer!
      nowMs = due.at
      due.call()
    },
    timer: () => timer?.at ?? null,
  }
}

const depsWith = (run: FitRunner, clock: ReturnType<typeof createClock>, signal?: AbortSignal): FitterDeps => ({
  run,
  slots: createFitSlots(1),
  signal: signal ?? new AbortController().signal,
  now: clock.now,
  startTimer: clock.startTimer,
  timeLimitSeconds: 10,
})

/** Never ends by itself. */
const endless: FitRunner = (_task, options) => {
  options?.onBegin?.()
  return new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('interrupted'))))
}

describe('the time limit', () => {
  it('ends a fit that runs, and refuses those after it', async () => {
    const clock = createClock()
    const fitter = createCandidateFitter(candidates.rbf, depsWith(endless, clock))
    const fits = [fitter.fit(iris, 1), fitter.fit(iris, 2)]
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.timer()).toBe(10_000)
    clock.elapse()
    for (const fit of fits) await expect(fit).rejects.toMatchObject({ code: 'FIT_FAILED', message: /longer than 10 s/ })
  })

  it('does not count the time that a fit waits for a thread', async () => {
    const clock = createClock()
    let nowMs = 0
    const late: FitRunner = (task, options) => {
      nowMs += 60_000
      expect(clock.timer()).toBeNull()
      options?.onBegin?.()
      expect(clock.timer()).toBe(10_000)
      nowMs += 4000
      return fitHere(task)
    }
    const fitter = createCandidateFitter(candidates.logistic, { ...depsWith(late, clock), now: () => nowMs })
    expect((await fitter.fit(iris, 1)).fitMs).toBe(4000)
  })

  it('counts all fits together, and leaves no timer behind', async () => {
    const clock = createClock()
    let nowMs = 0
    const slow: FitRunner = (task) => {
      nowMs += 4000
      return fitHere(task)
    }
    const fitter = createCandidateFitter(candidates.logistic, { ...depsWith(slow, clock), now: () => nowMs })
    expect((await fitter.fit(iris, 1)).fitMs).toBe(4000)
    expect(clock.timer()).toBeNull()
    await fitter.fit(iris, 2)
    await expect(fitter.fit(iris, 3)).rejects.toThrow(/longer than 10 s/)
  })
})

it('a training that ends is no failure of the candidate', async () => {
  const ending = new AbortController()
  const fitter = createCandidateFitter(candidates.rbf, depsWith(endless, createClock(), ending.signal))
  const fit = fitter.fit(iris, 1)
  await new Promise((resolve) => setImmediate(resolve))
  ending.abort(new Error('the worker closes'))
  await expect(fit).rejects.toThrow('the worker closes')
})

it('memory is estimated to grow with what the engines keep', () => {
  const [histogram] = classifiers
  const mib = (candidate: (typeof classifiers)[number], rows: number) => estimateFitMiB(candidate, rows, 20, 3)
  // The kernel matrix of 10,000 rows alone is 763 MiB.
  expect(mib(candidates.rbf, 10_000)).toBeGreaterThan(763)
  expect(mib(histogram!, 100_000)).toBeGreaterThan((100_000 * 20 * 17) / 2 ** 20)
  expect(mib(histogram!, 100_000)).toBeLessThan(200)
  // Large leaves are few: 100 trees of unlimited depth, each of some ten thousand nodes.
  const deep = classifiers.find(({ engine }) => engine === 'histogram') as Extract<Candidate, { engine: 'histogram' }>
  const coarse = { ...deep, parameters: { ...deep.parameters, trees: 100, maxDepth: 64, minSamplesLeaf: 20 } }
  expect(mib(coarse, 100_000)).toBeLessThan(150)
  for (const candidate of classifiers) expect(mib(candidate, 2000)).toBeGreaterThan(mib(candidate, 1000))
})
