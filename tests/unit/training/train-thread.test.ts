import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ClassDataset } from '../../../src/features/dataset.ts'
import { evaluate } from '../../../src/models/evaluate.ts'
import { fitHere } from '../../../src/models/fit-here.ts'
import { headlineOf } from '../../../src/models/headline.ts'
import { loadScorer } from '../../../src/models/load-scorer.ts'
import { encodeManifest } from '../../../src/models/manifest-codec.ts'
import type { TournamentCandidate, TournamentInput } from '../../../src/models/tournament/tournament-types.ts'
import { trainTournament } from '../../../src/models/tournament/train-tournament.ts'
import { trainInThread } from '../../../src/training/train-thread.ts'
import { classifiers } from '../../support/engine-candidates.ts'
import { clouds, featureSpecs, candidates as smallEngines } from '../../support/training-rows.ts'

const stub = new URL('../../support/programs/train-stub.ts', import.meta.url)

const rows = 60
const base: ClassDataset = {
  kind: 'classification',
  featureNames: ['x'],
  categories: [[]],
  classNames: ['low', 'high'],
  rows,
  features: Float64Array.from({ length: rows }, (_, n) => n / rows),
  labels: Int32Array.from({ length: rows }, (_, n) => (n < rows / 2 ? 0 : 1)),
}

const input = (reason: string, changes: Partial<TournamentInput> = {}): TournamentInput => ({
  task: 'levels',
  features: featureSpecs(['x']),
  classNames: ['low', 'high'],
  base,
  seed: 1,
  folds: 3,
  candidates: [classifiers.find(({ engine }) => engine === 'lbfgs')!],
  testFraction: 0.2,
  referenceRows: 20,
  parent: null,
  reason,
  ...changes,
})

/** A tournament of several engines, with a search, calibration and nested folds. */
const manyEngines = (): Partial<TournamentInput> => {
  const dataset = clouds({ rowsPerClass: 60, classes: 3, columns: 4, distance: 1, seed: 4 })
  const histogram = classifiers[0]!
  // Those that are quick: the threads take long enough to start.
  const others = classifiers.filter(({ engine }) => engine === 'libsvm' || engine === 'lbfgs')
  const search = { method: 'random', trials: 3, over: { maxDepth: { from: 1, to: 8, scale: 'log', integer: true } } }
  return {
    base: dataset,
    features: featureSpecs(dataset.featureNames),
    classNames: dataset.classNames,
    candidates: [{ ...histogram, calibration: 'isotonic', search } as TournamentCandidate, ...others],
    nested: true,
  }
}

// Threads that start on a busy machine take their time.
const timeout = 120_000

describe('training in a thread', { timeout }, () => {
  it('gives back a model that can be used, and tells how far it is', async () => {
    const steps: number[] = []
    const { artefact, timings } = await trainInThread(input('initial'), {
      onProgress: ({ stepsDone, stepsTotal }) => steps.push(stepsDone / stepsTotal),
    })
    expect(headlineOf(evaluate(loadScorer(artefact.manifest, artefact.binary), base)).value).toBeGreaterThan(0.9)
    expect(steps).toEqual([0.25, 0.5, 0.75, 1])
    expect(timings.seconds).toBeGreaterThan(0)
    // The input was copied, not taken away.
    expect(base.features).toHaveLength(rows)
  })

  it('gives the same bytes with one thread that fits, with two, and with none', async () => {
    const order = input('initial', manyEngines())
    const here = await trainTournament(order, fitHere)
    for (const fitThreads of [1, 2]) {
      const { artefact } = await trainInThread(order, { fitThreads })
      expect(Buffer.compare(encodeManifest(artefact.manifest), encodeManifest(here.artefact.manifest))).toBe(0)
      expect(Buffer.compare(artefact.binary, here.artefact.binary)).toBe(0)
    }
  })

  it('throws what the training throws, by its code', async () => {
    const bad = { ...base, labels: new Int32Array(rows) }
    await expect(trainInThread(input('initial', { base: bad }))).rejects.toMatchObject({
      code: 'TRAINING_FAILED',
      message: expect.stringContaining('high'),
    })
  })

  it.each([
    ['exit', /code 3/],
    ['throw', /thrown outside/],
    ['memory', /64 MiB/],
  ])('says that the thread died: %s', async (reason, message) => {
    const died = trainInThread(input(reason), { entry: stub, memoryLimitMb: 64 })
    await expect(died).rejects.toMatchObject({
      code: 'TRAINING_THREAD_DIED',
      message: expect.stringMatching(message),
    })
  })

  it('ends a training that never yields, when it is told to', async () => {
    const ending = new AbortController()
    const training = trainInThread(input('block 60000'), {
      entry: stub,
      signal: ending.signal,
      onProgress: () => ending.abort('the worker closes'),
    })
    await expect(training).rejects.toMatchObject({
      code: 'TRAINING_ABORTED',
      message: expect.stringContaining('the worker closes'),
    })
    await expect(trainInThread(input('block 1'), { entry: stub, signal: ending.signal })).rejects.toMatchObject({
      code: 'TRAINING_ABORTED',
    })
  })
})

/** Processor time that this process took, in ms, since `before`. */
const processorMs = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Waits until this process has taken `ms` of processor time. @returns how long that was, in ms */
const spendProcessorMs = async (ms: number): Promise<number> => {
  const before = process.cpuUsage()
  const startedMs = performance.now()
  while (processorMs(before) < ms) await wait(10)
  return performance.now() - startedMs
}

/** A tournament that takes a while: each of its fits by itself, too. */
const longTraining = (): TournamentInput => {
  const dataset = clouds({ rowsPerClass: 5000, classes: 2, columns: 20, distance: 0.1, seed: 4 })
  const forest = classifiers[0]! as Extract<TournamentCandidate, { engine: 'histogram' }>
  return input('initial', {
    base: dataset,
    features: featureSpecs(dataset.featureNames),
    classNames: dataset.classNames,
    candidates: [{ ...forest, parameters: { ...forest.parameters, trees: 30, maxDepth: 10 } }],
    folds: 3,
  })
}

describe('a long training', { timeout }, () => {
  it('goes on without a candidate that takes longer than it may', async () => {
    const long = longTraining()
    const [forest] = long.candidates as [Extract<TournamentCandidate, { engine: 'histogram' }>]
    const endless = { ...forest, parameters: { ...forest.parameters, trees: 5000, maxDepth: 30 } }
    // Its threads have to be started anew after those that the other one used up, which is not its own time.
    const quick = { ...forest, name: 'quick', parameters: { ...forest.parameters, trees: 1, maxDepth: 2 } }
    const { artefact } = await trainInThread({ ...long, candidates: [endless, quick], timeLimitSeconds: 3 })
    expect(artefact.manifest.name).toBe('quick')
    expect(artefact.manifest.candidates[0]).toMatchObject({
      status: 'skipped',
      reason: 'histogram took longer than 3 s; raise timeLimitSeconds or ask for less',
    })
  })

  it('goes on without a candidate that needs more memory than a thread may use', async () => {
    const wide = clouds({ rowsPerClass: 2400, classes: 2, columns: 400, distance: 1, seed: 4 })
    const [forest] = longTraining().candidates as [Extract<TournamentCandidate, { engine: 'histogram' }>]
    const candidates: TournamentCandidate[] = [
      // It keeps its rows as arrays of arrays, several times over.
      { ...smallEngines.logistic, parameters: { steps: 3, learningRate: 0.01 } },
      { ...forest, parameters: { ...forest.parameters, trees: 3, maxDepth: 3 } },
    ]
    const { featureNames, classNames } = wide
    const order = { base: wide, features: featureSpecs(featureNames), classNames, candidates, folds: 2 }
    const { artefact } = await trainInThread(input('initial', order), { fitThreads: 2, memoryLimitMb: 32 })
    expect(artefact.manifest.name).toBe('histogram')
    expect(artefact.manifest.candidates[0]).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('more memory than the 32 MiB'),
    })
  })

  it('takes no processor time any more once it was ended, not in its fit threads either', async () => {
    const ending = new AbortController()
    let training: Promise<unknown> = Promise.resolve()
    await new Promise<void>((resolve, reject) => {
      const options = { signal: ending.signal, fitThreads: 2, onProgress: () => resolve() }
      training = trainInThread({ ...longTraining(), folds: 20, repeats: 20 }, options)
      training.catch(reject)
    })
    // 399 fits are to come. However busy the machine is: in as long a time they would take about as much again.
    const whileMs = await spendProcessorMs(300)
    ending.abort('enough')
    await expect(training).rejects.toMatchObject({ code: 'TRAINING_ABORTED' })
    const after = process.cpuUsage()
    await wait(whileMs)
    expect(processorMs(after)).toBeLessThan(100)
  })

  it('holds the event loop for less than 10 ms at a time', async () => {
    const order = longTraining()
    // Processor time of this thread from turn to turn: what others do on the machine has no part in it.
    const turnsMs: number[] = []
    let last = process.threadCpuUsage()
    const beat = setInterval(() => {
      const { user, system } = process.threadCpuUsage(last)
      last = process.threadCpuUsage()
      turnsMs.push((user + system) / 1000)
    }, 1)
    await trainInThread(order, { fitThreads: 2 })
    clearInterval(beat)
    expect(turnsMs.length).toBeGreaterThan(20)
    expect(Math.max(...turnsMs)).toBeLessThan(10)
  })
})
