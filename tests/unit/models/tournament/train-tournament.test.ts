import { describe, expect, it } from 'vitest'
import type { CandidateConfig } from '../../../../src/config/task-schema.ts'
import { type ClassDataset, DatasetInvalid, takeRows } from '../../../../src/features/dataset.ts'
import { createRandom } from '../../../../src/features/random.ts'
import type { Candidate } from '../../../../src/models/candidate.ts'
import { evaluate } from '../../../../src/models/evaluate.ts'
import { fitHere } from '../../../../src/models/fit-here.ts'
import type { FitRunner } from '../../../../src/models/fit-task.ts'
import { headlineOf } from '../../../../src/models/headline.ts'
import { loadScorer } from '../../../../src/models/load-scorer.ts'
import type { CandidateReport } from '../../../../src/models/manifest.ts'
import { decodeManifest, encodeManifest } from '../../../../src/models/manifest-codec.ts'
import { FitFailed, TrainingFailed } from '../../../../src/models/model-errors.ts'
import { referenceOf } from '../../../../src/models/reference.ts'
import type {
  TournamentCandidate,
  TournamentOptions,
  TournamentProgress,
  TournamentResult,
} from '../../../../src/models/tournament/tournament-types.ts'
import { trainTournament } from '../../../../src/models/tournament/train-tournament.ts'
import { verifyGolden } from '../../../../src/models/verify-golden.ts'
import { classifiers, regressors } from '../../../support/engine-candidates.ts'
import { mixedClasses, mixedNumbers } from '../../../support/mixed-rows.ts'
import { smallTournament } from '../../../support/small-tournament.ts'
import { candidates, featureSpecs, gaussian, iris } from '../../../support/training-rows.ts'

const train = (overrides: Partial<TournamentOptions> = {}, run: FitRunner = fitHere): Promise<TournamentResult> =>
  trainTournament(smallTournament(overrides), run)

/** Gives each fit back after a turn or more of the loop, the later ones first. */
const disorderly: FitRunner = async (task) => {
  const arrays = await fitHere(task)
  for (let turn = task.seed % 7; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
  return arrays
}

const shiftedIris = (rows: number, shift: readonly number[], seed: number): ClassDataset => {
  const base = iris()
  const random = createRandom(seed, 'events')
  const drawn = takeRows(
    base,
    Array.from({ length: rows }, () => random.below(base.rows)),
  )
  const features = drawn.features.map((value, i) => value + 0.05 * gaussian(random) + shift[i % 4]!)
  return { ...drawn, features }
}

const accuracyOn = ({ artefact }: TournamentResult, dataset: ClassDataset): number =>
  headlineOf(evaluate(loadScorer(artefact.manifest, artefact.binary), dataset)).value

const expectSameBytes = (a: TournamentResult, b: TournamentResult): void => {
  expect(Buffer.compare(encodeManifest(a.artefact.manifest), encodeManifest(b.artefact.manifest))).toBe(0)
  expect(Buffer.compare(a.artefact.binary, b.artefact.binary)).toBe(0)
}

const diverging: Candidate = { ...candidates.logistic, parameters: { steps: 2000, learningRate: 1e307 } }

describe('a tournament', async () => {
  const result = await train()
  const { artefact, timings } = result
  const { manifest, binary } = artefact

  it('keeps the test rows out of the training and divides 150 rows into 120 and 30', () => {
    expect(manifest.data).toMatchObject({ base_rows: 150, recent_rows: 0, train_rows: 120, test_rows: 30 })
    const { train: seen, test } = manifest.metrics
    expect([seen.rows, test.rows]).toEqual([120, 30])
    if (test.kind !== 'classification') return expect.unreachable()
    expect(test.per_class.map(({ support }) => support)).toEqual([10, 10, 10])
  })

  it('reports on every candidate, in the order of the configuration', () => {
    expect(manifest.candidates.map(({ name, status }) => [name, status])).toEqual([
      ['logistic', 'trained'],
      ['forest', 'trained'],
      ['rbf', 'trained'],
    ])
    for (const report of manifest.candidates) {
      if (report.status !== 'trained') return expect.unreachable()
      expect(report.cv).toMatchObject({ metric: 'accuracy', folds: 3, repeats: 1 })
      expect(report.cv.mean).toBeGreaterThan(0.85)
      expect(headlineOf(report.test!).value).toBeGreaterThan(0.85)
    }
  })

  it('lets the best cross-validated accuracy win', () => {
    const score = (report: CandidateReport) => (report.status === 'trained' ? report.cv.mean : 0)
    const winner = manifest.candidates.find(({ name }) => name === manifest.name)!
    expect(score(winner)).toBe(Math.max(...manifest.candidates.map(score)))
    expect(manifest.metrics.cv.mean).toBe(score(winner))
    expect(manifest.selection).toBe('best')
  })

  it('lets the candidate that comes first win where accuracies are equal', async () => {
    const classNames = ['setosa', 'versicolor']
    const rows = Array.from({ length: 100 }, (_, row) => row)
    // These two classes stand apart: every machine gets every row right.
    const base = { ...takeRows(iris(), rows), classNames }
    const winnerOf = async (names: string[]) => {
      const twins = names.map((name) => ({ ...candidates.rbf, name }))
      return (await train({ base, classNames, candidates: twins })).artefact.manifest
    }
    expect(await winnerOf(['b', 'a'])).toMatchObject({ name: 'b', metrics: { cv: { mean: 1 } } })
    expect(await winnerOf(['a', 'b'])).toMatchObject({ name: 'a', metrics: { cv: { mean: 1 } } })
  })

  it('scores after a load as its report says', () => {
    const { train: seen, test } = manifest.metrics
    const hits = headlineOf(seen).value * 120 + headlineOf(test).value * 30
    expect(accuracyOn(result, iris())).toBeCloseTo(hits / 150, 12)
    expect(() => verifyGolden(loadScorer(manifest, binary), manifest.golden)).not.toThrow()
  })

  it('keeps a reference sample of training rows', () => {
    expect(manifest.reference).toEqual({ source: 'training', rows: 50 })
    const reference = referenceOf(artefact)
    expect(reference.featureNames).toEqual(manifest.features)
    expect(reference.columns.map((column) => column.length)).toEqual([50, 50, 50, 50])
    const { features } = iris()
    const known = new Set(Array.from({ length: 150 }, (_, row) => features.slice(row * 4, row * 4 + 4).join()))
    for (let row = 0; row < 50; row++) {
      expect(known.has(reference.columns.map((column) => column[row]).join())).toBe(true)
    }
  })

  it('gives the same artefact, byte for byte, and another for another seed', async () => {
    expectSameBytes(await train(), result)
    expect((await train({ seed: 43 })).artefact.manifest.data.digest).not.toBe(manifest.data.digest)
  })

  it('reports each step and the time of each fit by the clock it was given', async () => {
    const steps: TournamentProgress[] = []
    let clock = 0
    const run = await train({ onProgress: (progress) => void steps.push(progress), now: () => (clock += 1000) })
    expect(steps.map(({ stepsDone }) => stepsDone)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(steps.slice(0, 3).map(({ candidate, fold }) => [candidate, fold])).toEqual([
      ['logistic', 0],
      ['logistic', 1],
      ['logistic', 2],
    ])
    expect(steps[11]).toMatchObject({ fold: null, stepsDone: 12, stepsTotal: 12 })
    expect(run.timings.fit_seconds).toEqual({ logistic: 1, forest: 1, rbf: 1 })
    expect(run.timings.seconds).toBeGreaterThan(1)
    expect(Object.keys(timings.artefact_bytes)).toEqual(['logistic', 'forest', 'rbf'])
  })
})

describe('a tournament with all its parts', { timeout: 30_000 }, () => {
  const searched: TournamentCandidate = {
    ...classifiers[0]!,
    calibration: 'isotonic',
    search: { method: 'halving', trials: 4, over: { maxDepth: { from: 1, to: 8, scale: 'log', integer: true } } },
  } as TournamentCandidate
  const many: Partial<TournamentOptions> = {
    base: mixedClasses(300, 5, 3),
    features: featureSpecs(mixedClasses(1, 5, 3).featureNames),
    classNames: mixedClasses(1, 5, 3).classNames,
    candidates: [searched, { ...classifiers.find(({ engine }) => engine === 'lbfgs')!, calibration: 'platt' }],
    repeats: 2,
    selection: 'one_standard_error',
    nested: true,
  }

  it('gives the same bytes however many fits run at once and in whatever order they end', async () => {
    const steps: TournamentProgress[] = []
    const one = await train({ ...many, onProgress: (progress) => void steps.push(progress) })
    expectSameBytes(await train({ ...many, parallelFits: 5 }, disorderly), one)
    const { manifest } = one.artefact
    expect(manifest.metrics.nested).toMatchObject({ metric: 'accuracy', folds: 3, repeats: 1 })
    expect(manifest.metrics.cv).toMatchObject({ folds: 3, repeats: 2 })
    expect(manifest.selection).toBe('one_standard_error')
    expect(manifest.candidates.map(({ name }) => name)).toEqual([
      'histogram#1',
      'histogram#2',
      'histogram#3',
      'histogram#4',
      'lbfgs',
    ])
    expect(steps.at(-1)).toMatchObject({ stepsDone: steps.at(-1)!.stepsTotal })
    expect(steps.every(({ stepsDone }, i) => i === 0 || stepsDone > steps[i - 1]!.stepsDone)).toBe(true)
    expect(accuracyOn(one, mixedClasses(2000, 6, 3))).toBeGreaterThan(0.6)
  })

  it('fits of each search one trial to all rows, the one that the rule chooses', async () => {
    const search = {
      method: 'random',
      trials: 6,
      over: { maxDepth: { from: 1, to: 8, scale: 'linear', integer: true } },
    }
    const other = { ...classifiers[0]!, name: 'other', search } as TournamentCandidate
    const rows: number[] = []
    const steps: TournamentProgress[] = []
    const counted: FitRunner = (task) => {
      rows.push(task.rows.rows)
      return fitHere(task)
    }
    const order = {
      ...many,
      repeats: 1,
      nested: false,
      candidates: [{ ...searched, search } as TournamentCandidate, other],
    }
    const options = { ...order, onProgress: (progress: TournamentProgress) => void steps.push(progress) }
    const { artefact, timings } = await train(options, counted)
    expect(rows.filter((count) => count === 240)).toHaveLength(2)
    expect(rows).toHaveLength(2 * 6 * 3 + 2)
    expect(steps.at(-1)).toMatchObject({ stepsDone: rows.length, stepsTotal: rows.length })
    const { candidates: reports, name } = artefact.manifest
    const tested = reports.filter((report) => report.status === 'trained' && report.test !== undefined)
    expect(tested.map((report) => report.name.split('#')[0])).toEqual(['histogram', 'other'])
    expect(tested.map((report) => report.name)).toContain(name)
    expect(Object.keys(timings.fit_seconds)).toEqual(tested.map((report) => report.name))
    expect(reports.every((report) => report.status === 'trained')).toBe(true)
    expect(decodeManifest(encodeManifest(artefact.manifest)).candidates).toEqual(reports)
  })

  it('tells of a calibrated model what the curves are worth, and scores with them after a load', async () => {
    const forest: Candidate = { ...classifiers[0]!, calibration: 'platt' }
    const { artefact } = await train({ ...many, nested: false, candidates: [forest] })
    const { calibration, binary } = artefact.manifest
    if (calibration === null) return expect.unreachable()
    expect(calibration.method).toBe('platt')
    expect(calibration.after.log_loss).toBeLessThan(calibration.before.log_loss)
    expect(binary.sections.map(({ name }) => name)).toContain('calibration.slopes')
    const plain = await train({ ...many, nested: false, candidates: [{ ...forest, calibration: 'none' }] })
    const fresh = mixedClasses(3000, 7, 3)
    const [with_, without] = [artefact, plain.artefact].map(({ manifest, binary: bytes }) => {
      const evaluation = evaluate(loadScorer(manifest, bytes), fresh)
      return evaluation.kind === 'classification' ? evaluation.log_loss : Number.NaN
    })
    expect(with_).toBeLessThan(without!)
    expect(Math.abs(with_! - calibration.after.log_loss)).toBeLessThan(0.15)
  })

  it('trains regressions by R2, of rows with categories and missing values', async () => {
    const base = mixedNumbers(300, 8)
    const options = { base, features: featureSpecs(base.featureNames), classNames: [], candidates: regressors }
    const result = await train({ ...options, nested: true, testFraction: 0.1, parallelFits: 3 })
    const { manifest, binary } = result.artefact
    expect(manifest).toMatchObject({ kind: 'regression', classes: [], calibration: null })
    expect(manifest.data).toMatchObject({ train_rows: 270, test_rows: 30 })
    expect(manifest.metrics.cv.metric).toBe('r2')
    expect(manifest.metrics.cv.mean).toBeGreaterThan(0.5)
    expect(Math.abs(manifest.metrics.nested!.mean - manifest.metrics.cv.mean)).toBeLessThan(0.1)
    const scorer = loadScorer(manifest, binary)
    verifyGolden(scorer, manifest.golden)
    expect(headlineOf(evaluate(scorer, mixedNumbers(1000, 9))).value).toBeGreaterThan(0.5)
    expectSameBytes(await train({ ...options, nested: true, testFraction: 0.1 }), result)
  })
})

describe('a tournament with recent rows', async () => {
  const recent = shiftedIris(200, [0, 0, 1.5, 0.7], 1)
  const result = await train({ recent, reason: 'drift', parent: '1' })
  const { manifest } = result.artefact

  it('trains on all of them and tests on base rows only', () => {
    expect(manifest.data).toMatchObject({ base_rows: 150, recent_rows: 200, train_rows: 320, test_rows: 30 })
    expect([manifest.parent, manifest.reason]).toEqual(['1', 'drift'])
  })

  it('draws its reference from them: it shows what production sees now', () => {
    expect(manifest.reference).toEqual({ source: 'recent', rows: 50 })
    const petals = referenceOf(result.artefact).columns[2]!
    expect(petals.every((value) => recent.features.includes(value))).toBe(true)
  })

  it('recovers what the shift took', async () => {
    const fresh = shiftedIris(1000, [0, 0, 1.5, 0.7], 2)
    expect(accuracyOn(await train(), fresh)).toBeLessThan(0.8)
    expect(accuracyOn(result, fresh)).toBeGreaterThan(0.93)
  })
})

describe('a candidate that cannot be trained', () => {
  it('is skipped with its reason, and the others go on', async () => {
    const { manifest } = (await train({ candidates: [diverging, candidates.rbf] })).artefact
    expect(manifest.name).toBe('rbf')
    expect(manifest.candidates[0]).toMatchObject({ name: 'logistic', status: 'skipped' })
    expect(manifest.candidates[0]).toHaveProperty('reason', expect.stringContaining('diverged'))
  })

  it('is skipped when the rows are too many for its engine, with the engine that takes them', async () => {
    const recent = shiftedIris(900, [0, 0, 0, 0], 3)
    const { manifest } = (await train({ recent, folds: 2, candidates: [candidates.forest, candidates.logistic] }))
      .artefact
    const reason = 'ml-random-forest is used for up to 1000 training rows, and there are 1020; use the engine histogram'
    expect(manifest.candidates[0]).toHaveProperty('reason', reason)
    expect(manifest.name).toBe('logistic')
  })

  it('is skipped within nested folds as well, where the rows would be few enough', async () => {
    const fitted: string[] = []
    const noted: FitRunner = (task) => {
      fitted.push(task.candidate.name)
      return fitHere(task)
    }
    const options = { recent: shiftedIris(900, [0, 0, 0, 0], 3), folds: 2, nested: true }
    const { lbfgs } = Object.fromEntries(classifiers.map((candidate) => [candidate.engine, candidate]))
    const { manifest } = (await train({ ...options, candidates: [candidates.forest, lbfgs!] }, noted)).artefact
    expect(fitted).not.toContain('forest')
    expect(manifest.metrics.nested!.mean).toBeGreaterThan(0.9)
  })

  it('is skipped when it would take more memory than it may', async () => {
    const { manifest } = (await train({ candidates: [classifiers[2]!, candidates.logistic], memoryLimitMb: 64 }))
      .artefact
    expect(manifest.candidates[0]).toHaveProperty(
      'reason',
      expect.stringMatching(/libsvm would take about \d+ MiB.* 64/),
    )
    expect(manifest.name).toBe('logistic')
  })

  it('is skipped when it takes longer than it may', async () => {
    let clock = 0
    const slow: FitRunner = (task) => {
      clock += task.candidate.name === 'rbf' ? 400 : 1
      return fitHere(task)
    }
    const options = { candidates: [candidates.rbf, candidates.logistic], timeLimitSeconds: 1, now: () => clock }
    const { manifest } = (await train(options, slow)).artefact
    const reason = 'ml-svm took longer than 1 s; raise timeLimitSeconds or ask for less'
    expect(manifest.candidates[0]).toHaveProperty('reason', reason)
    expect(manifest.name).toBe('logistic')
  })

  it('gives way to the next best when its fit to all rows fails', async () => {
    const failing: FitRunner = async (task) => {
      if (task.candidate.name === 'rbf' && task.rows.rows === 120) throw new FitFailed('not on all rows')
      return fitHere(task)
    }
    const { manifest } = (await train({ candidates: [candidates.rbf, diverging] }, fitHere)).artefact
    expect(manifest.name).toBe('rbf')
    const other = (await train({ candidates: [candidates.rbf, candidates.logistic] }, failing)).artefact.manifest
    expect(other.name).toBe('logistic')
    expect(other.candidates[0]).toMatchObject({ status: 'skipped', reason: 'not on all rows' })
  })

  it('fails the training if it is the last one', async () => {
    await expect(train({ candidates: [diverging] })).rejects.toThrow(
      /no candidate could be trained; logistic: .*diverged/,
    )
    await expect(train({ candidates: [] })).rejects.toThrow(TrainingFailed)
  })
})

describe('a training that is to end', () => {
  it('ends with the reason that it was given, and starts no further fit', async () => {
    const ending = new AbortController()
    let fits = 0
    const counted: FitRunner = (task) => {
      fits++
      if (fits === 3) ending.abort(new Error('the worker closes'))
      return fitHere(task)
    }
    await expect(train({ signal: ending.signal }, counted)).rejects.toThrow('the worker closes')
    expect(fits).toBe(3)
  })

  it('ends with what a fit throws that is no failure of its candidate, and the fits beside it are told', async () => {
    const told: boolean[] = []
    const broken: FitRunner = async (task, options) => {
      if (task.candidate.name !== 'rbf') throw new Error('a thread is gone')
      return new Promise((_, reject) => {
        options?.signal?.addEventListener('abort', () => {
          told.push(true)
          reject(new Error('ended'))
        })
      })
    }
    const options = { candidates: [candidates.rbf, candidates.logistic], parallelFits: 4 }
    await expect(train(options, broken)).rejects.toThrow('a thread is gone')
    expect(told).toEqual([true, true, true])
  })
})

describe('rows that allow no training are refused', () => {
  it('when they have other columns or classes', async () => {
    const base = iris()
    await expect(train({ base: { ...base, featureNames: ['a', 'b', 'c', 'd'] } })).rejects.toThrow(TrainingFailed)
    const recent = { ...base, classNames: ['virginica', 'versicolor', 'setosa'] }
    await expect(train({ recent })).rejects.toThrow(TrainingFailed)
  })

  it('when the categories of the test rows are others, or in another order', async () => {
    const base = mixedClasses(60, 1, 2)
    const about = { base, features: featureSpecs(base.featureNames), classNames: base.classNames }
    const at = base.categories.findIndex((names) => names.length > 0)
    const test = { ...base, categories: base.categories.with(at, base.categories[at]!.toReversed()) }
    await expect(train({ ...about, test })).rejects.toThrow(/other categories/)
  })

  it('when recent rows were promised and there are none', async () => {
    await expect(train({ recent: takeRows(iris(), []) })).rejects.toThrow(TrainingFailed)
  })

  it('when a class has no rows, or one, or too few for nested folds', async () => {
    const rows = Array.from({ length: 100 }, (_, row) => row)
    await expect(train({ base: takeRows(iris(), rows) })).rejects.toThrow(/virginica/)
    await expect(train({ base: takeRows(iris(), [...rows, 120]) })).rejects.toThrow(DatasetInvalid)
    const three = takeRows(iris(), [...rows, 120, 121, 122])
    await expect(train({ base: three, nested: true })).rejects.toThrow(/virginica.*nested/)
  })
})

it('takes the candidates of the configuration as they are', () => {
  const configured: CandidateConfig = {
    ...candidates.forest,
    search: { method: 'random', trials: 3, over: { trees: [5] } },
  }
  const taken: TournamentCandidate = configured
  expect(taken.name).toBe('forest')
})
