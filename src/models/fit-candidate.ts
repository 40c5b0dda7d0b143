import { classNamesOf, type Dataset } from '../features/dataset.ts'
import { encodedColumns, encodeInto } from '../features/encoder.ts'
import { fitStandardiser, standardiseInto } from '../features/standardiser.ts'
import type { Candidate } from './candidate.ts'
import { createScorer } from './create-scorer.ts'
import type { TrainingRows, TrainingTarget } from './estimator.ts'
import { createEstimator, familyInput } from './families.ts'
import type { StandardiserParameters } from './manifest.ts'
import type { FittedCalibration } from './model-calibration.ts'
import { ArtefactCorrupt, FitFailed } from './model-errors.ts'
import type { Scorer } from './scorer.ts'
import { createSections, type NamedArray } from './sections.ts'

/** A candidate that was fitted: its compiled arrays, and a scorer over them. */
export type FittedModel = {
  readonly arrays: readonly NamedArray[]
  /** Null for a family that reads raw features. */
  readonly standardiser: StandardiserParameters | null
  readonly scorer: Scorer
}

/** Rows in the form that a family reads, and the standardiser that gave it. */
export type PreparedRows = { readonly rows: TrainingRows; readonly standardiser: StandardiserParameters | null }

const targetOf = (dataset: Dataset): TrainingTarget =>
  dataset.kind === 'classification'
    ? { kind: 'classification', labels: dataset.labels, classes: dataset.classNames.length }
    : { kind: 'regression', values: dataset.targets }

/** Encodes and standardises rows where the family of the candidate reads them so, by the rows' own mean and scale. */
export const prepareRows = (candidate: Candidate, training: Dataset): PreparedRows => {
  const { rows } = training
  const target = targetOf(training)
  const categories = Int32Array.from(training.categories, ({ length }) => length)
  if (familyInput[candidate.family] === 'raw') {
    const columns = training.featureNames.length
    return { rows: { features: training.features, rows, columns, categories, target }, standardiser: null }
  }
  const columns = encodedColumns(categories)
  const encoded = new Float64Array(rows * columns)
  encodeInto(categories, training.features, 0, rows, encoded)
  const standardiser = fitStandardiser(encoded, rows, columns)
  const features = new Float64Array(rows * columns)
  standardiseInto(standardiser, encoded, 0, rows, features)
  return { rows: { features, rows, columns, categories: new Int32Array(columns), target }, standardiser }
}

/**
 * The fitted arrays as a model, with the curves of a calibration where there is one.
 * @throws FitFailed if they cannot be scored with
 */
export const fittedModel = (
  candidate: Candidate,
  training: Dataset,
  fitted: readonly NamedArray[],
  standardiser: StandardiserParameters | null,
  calibration: FittedCalibration | null = null,
): FittedModel => {
  const arrays = [...fitted, ...(calibration?.arrays ?? [])]
  try {
    const scorer = createScorer({
      kind: training.kind,
      family: candidate.family,
      featureNames: training.featureNames,
      categories: training.categories,
      classNames: classNamesOf(training),
      standardiser,
      calibration: calibration?.method ?? null,
      sections: createSections(arrays),
    })
    return { arrays, standardiser, scorer }
  } catch (cause) {
    if (!(cause instanceof ArtefactCorrupt)) throw cause
    throw new FitFailed(`${candidate.engine} gave a model that cannot be used: ${cause.message}`, { cause })
  }
}

/** Fits the standardiser, where there is one, and then the candidate to the same rows, here; no calibration. @throws FitFailed */
export const fitCandidate = (candidate: Candidate, training: Dataset, seed: number): FittedModel => {
  const { rows, standardiser } = prepareRows(candidate, training)
  return fittedModel(candidate, training, createEstimator(candidate).fit(rows, seed), standardiser)
}
