import { createHash } from 'node:crypto'
import { classNamesOf, type Dataset } from '../../src/features/dataset.ts'
import { createRandom } from '../../src/features/random.ts'
import { fitCalibration } from '../../src/models/calibration/fit-calibration.ts'
import type { CalibrationMethod, Candidate, ModelFamily } from '../../src/models/candidate.ts'
import { createScorer } from '../../src/models/create-scorer.ts'
import { evaluate } from '../../src/models/evaluate.ts'
import { fitCandidate } from '../../src/models/fit-candidate.ts'
import { pickGoldenRows } from '../../src/models/golden-rows.ts'
import type { ModelArtefact, StandardiserParameters } from '../../src/models/manifest.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import { createSections, type NamedArray, packSections } from '../../src/models/sections.ts'
import { gaussian } from './training-rows.ts'

/** Rows of two categories and two numbers, a tenth of the values missing, of classes or of a number. */
export const mixedRows = (rows: number, classes: number, seed: number): Dataset => {
  const random = createRandom(seed, 'mixed rows')
  const features = new Float64Array(rows * 4)
  const scores: number[] = []
  for (let row = 0; row < rows; row++) {
    const colour = random.below(4)
    const size = random.below(11)
    const values = [gaussian(random) * 3 + 10, colour, gaussian(random), size]
    scores.push(values[0]! + (colour === 2 ? 4 : 0) + (size % 3) - 2 * values[2]! + gaussian(random) / 2)
    features.set(
      values.map((value) => (random.below(10) === 0 ? Number.NaN : value)),
      row * 4,
    )
  }
  const shape = {
    featureNames: ['weight', 'colour', 'shift', 'size'],
    categories: [[], ['red', 'green', 'blue', 'grey'], [], Array.from({ length: 11 }, (_, i) => `size ${i}`)],
    rows,
    features,
  }
  if (classes === 0) return { ...shape, kind: 'regression', targets: Float64Array.from(scores) }
  const cuts = [...scores].sort((a, b) => a - b)
  const labels = Int32Array.from(scores, (score) =>
    Math.min(classes - 1, Math.floor((classes * cuts.indexOf(score)) / rows)),
  )
  return { ...shape, kind: 'classification', classNames: Array.from({ length: classes }, (_, c) => `c${c}`), labels }
}

/** Rows that a model has to stand: some of the given ones, some beyond them, missing values, and unknown categories. */
export const hostileRows = (dataset: Dataset, count: number, seed: number): Float64Array => {
  const random = createRandom(seed, 'hostile rows')
  const columns = dataset.featureNames.length
  return Float64Array.from({ length: count * columns }, (_, at) => {
    const column = at % columns
    const value = dataset.features[random.below(dataset.rows) * columns + column]!
    const kind = random.below(20)
    if (kind === 0) return Number.NaN
    const categories = dataset.categories[column]!.length
    if (categories > 0) return [Number.NaN, categories, 300, -1, 0.5][kind] ?? value
    if (kind === 1) return value * 1e9
    if (kind === 2) return -1e300
    if (kind === 3) return Number.POSITIVE_INFINITY
    return kind < 8 ? value : value * (0.9 + 0.2 * random.next())
  })
}

export type FittedArtefact = { readonly artefact: ModelArtefact; readonly scorer: Scorer }

export type ArtefactParts = {
  readonly dataset: Dataset
  readonly family: ModelFamily
  readonly engine: string
  readonly arrays: readonly NamedArray[]
  readonly standardiser: StandardiserParameters | null
  readonly calibration?: CalibrationMethod
}

/** A stored model of arrays that were made somehow. */
export const artefactOf = (parts: ArtefactParts): FittedArtefact => {
  const { dataset, family, engine, arrays, standardiser, calibration = 'none' } = parts
  const classes = [...classNamesOf(dataset)]
  const method = calibration === 'none' ? null : calibration
  const shape = {
    ...{ kind: dataset.kind, family, featureNames: dataset.featureNames, categories: dataset.categories },
    ...{ classNames: classes, standardiser },
  }
  const plain = createScorer({ ...shape, calibration: null, sections: createSections(arrays) })
  const curves: NamedArray[] = []
  if (method !== null && dataset.kind === 'classification') {
    const probabilities = new Float64Array(dataset.rows * classes.length)
    plain.scoreBlock(dataset.features, dataset.rows, probabilities)
    curves.push(...fitCalibration(method, probabilities, dataset.labels, classes.length))
  }
  const all = [...arrays, ...curves]
  const scorer = createScorer({ ...shape, calibration: method, sections: createSections(all) })
  const { binary, sections } = packSections(all)
  const evaluation = evaluate(scorer, dataset)
  const before = { log_loss: 0, brier_score: 0, calibration_error: 0 }
  return {
    scorer,
    artefact: {
      binary,
      manifest: {
        ...{ format: 2, task: 'sample', name: 'sample', kind: dataset.kind, family, engine, parameters: {}, seed: 1 },
        features: [...dataset.featureNames],
        categories: dataset.categories.map((names) => [...names]),
        classes,
        standardiser,
        calibration: method === null ? null : { method, before, after: before },
        data: { digest: '0'.repeat(64), base_rows: 1, recent_rows: 0, train_rows: 1, test_rows: 0 },
        reference: { source: 'training', rows: 0 },
        metrics: {
          cv: { metric: classes.length > 0 ? 'accuracy' : 'r2', mean: 0, sd: 0, se: 0, folds: 2, repeats: 1 },
          train: evaluation,
          test: evaluation,
        },
        ...{ candidates: [], golden: pickGoldenRows(scorer, dataset), parent: null, reason: 'initial' },
        binary: { sha256: createHash('sha256').update(binary).digest('hex'), bytes: binary.byteLength, sections },
      },
    },
  }
}

/** A candidate fitted to all rows. */
export const fittedArtefact = (
  candidate: Candidate,
  dataset: Dataset,
  calibration?: CalibrationMethod,
): FittedArtefact => {
  const { family, engine } = candidate
  const { arrays, standardiser } = fitCandidate(candidate, dataset, 7)
  return artefactOf({ dataset, family, engine, arrays, standardiser, calibration: calibration ?? 'none' })
}
