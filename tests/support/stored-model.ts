import { createHash } from 'node:crypto'
import { classNamesOf, type Dataset } from '../../src/features/dataset.ts'
import { fitCalibration } from '../../src/models/calibration/fit-calibration.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { createScorer } from '../../src/models/create-scorer.ts'
import { createEstimator } from '../../src/models/families.ts'
import { prepareRows } from '../../src/models/fit-candidate.ts'
import { pickGoldenRows } from '../../src/models/golden-rows.ts'
import type { CrossValidation, Evaluation, ModelArtefact, ModelManifest } from '../../src/models/manifest.ts'
import { createSections, type NamedArray, packSections } from '../../src/models/sections.ts'

const scores = { log_loss: 0.1, brier_score: 0.1, calibration_error: 0.1 }

const evaluationOf = (dataset: Dataset): Evaluation =>
  dataset.kind === 'regression'
    ? { kind: 'regression', rows: dataset.rows, r2: 0.5, rmse: 1, mae: 1 }
    : {
        ...{ kind: 'classification', rows: dataset.rows, accuracy: 0.9, macro_f1: 0.9, ...scores },
        confusion: [],
        per_class: [],
      }

/** The curves of a calibration that was fitted to the training rows: good enough for tests of loading and scoring. */
const calibrationOf = (candidate: Candidate, dataset: Dataset, score: (out: Float64Array) => void): NamedArray[] => {
  if (dataset.kind === 'regression' || candidate.calibration === 'none') return []
  const classes = dataset.classNames.length
  const probabilities = new Float64Array(dataset.rows * classes)
  score(probabilities)
  return fitCalibration(candidate.calibration, probabilities, dataset.labels, classes)
}

/** A model of one candidate as it is stored, fitted to all rows. Its metrics are made up. */
export const storedModel = (candidate: Candidate, dataset: Dataset, seed = 42): ModelArtefact => {
  const { rows, standardiser } = prepareRows(candidate, dataset)
  const fitted = createEstimator(candidate).fit(rows, seed)
  const { kind, featureNames, categories } = dataset
  const method = candidate.calibration === 'none' ? null : candidate.calibration
  const parts = {
    kind,
    family: candidate.family,
    featureNames,
    categories,
    classNames: classNamesOf(dataset),
    standardiser,
  }
  const plain = createScorer({ ...parts, calibration: null, sections: createSections(fitted) })
  const curves = calibrationOf(candidate, dataset, (out) => plain.scoreBlock(dataset.features, dataset.rows, out))
  const arrays = [...fitted, ...curves]
  const scorer = createScorer({ ...parts, calibration: method, sections: createSections(arrays) })

  const { binary, sections } = packSections(arrays)
  const evaluation = evaluationOf(dataset)
  const metric = kind === 'regression' ? 'r2' : 'accuracy'
  const cv: CrossValidation = { metric, mean: 0.9, sd: 0.05, se: 0.02, folds: 5, repeats: 1 }
  const manifest: ModelManifest = {
    ...{ format: 2, task: 'test', name: candidate.name, kind, family: candidate.family, engine: candidate.engine },
    parameters: { ...candidate.parameters },
    features: [...featureNames],
    categories: categories.map((names) => [...names]),
    classes: [...classNamesOf(dataset)],
    standardiser,
    calibration: method === null ? null : { method, before: scores, after: scores },
    seed,
    data: { digest: '0'.repeat(64), base_rows: rows.rows, recent_rows: 0, train_rows: rows.rows, test_rows: 0 },
    reference: { source: 'training', rows: 0 },
    metrics: { cv, train: evaluation, test: evaluation },
    candidates: [],
    golden: pickGoldenRows(scorer, dataset),
    parent: null,
    reason: 'initial',
    binary: { sha256: createHash('sha256').update(binary).digest('hex'), bytes: binary.byteLength, sections },
  }
  return { manifest, binary }
}
