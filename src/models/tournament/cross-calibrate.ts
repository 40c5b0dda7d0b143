import type { ClassDataset } from '../../features/dataset.ts'
import { rowsOutside } from '../../features/stratified.ts'
import { fitCalibration } from '../calibration/fit-calibration.ts'
import { openCalibration } from '../calibration/open-calibration.ts'
import { scoreProbabilities } from '../metrics/probability-scores.ts'
import type { FittedCalibration } from '../model-calibration.ts'
import { createSections } from '../sections.ts'
import { putOutputs, takeOutputs } from './held-outputs.ts'

/**
 * The probabilities as they would be after calibration, each fold's corrected by curves that were fitted to the other
 * folds' rows.
 * @param held row-major, the probabilities that each row got when its fold was held out
 */
export const calibrateAcross = (
  method: 'platt' | 'isotonic',
  held: Float64Array,
  dataset: ClassDataset,
  folds: readonly Int32Array[],
): Float64Array => {
  const classes = dataset.classNames.length
  const corrected = new Float64Array(held.length)
  for (const fold of folds) {
    const others = rowsOutside(dataset.rows, fold)
    const labels = Int32Array.from(others, (row) => dataset.labels[row]!)
    const curves = fitCalibration(method, takeOutputs(held, classes, others), labels, classes)
    const calibrate = openCalibration(createSections(curves), method, classes)
    const rows = takeOutputs(held, classes, fold)
    calibrate(rows, fold.length, 0)
    putOutputs(rows, classes, fold, corrected)
  }
  return corrected
}

/**
 * The curves of a model, fitted to the held-out probabilities of all training rows, and what they are worth on rows
 * that they were not fitted to. The model itself is fitted to all rows (cross-fitting with one model, as scikit-learn's
 * `CalibratedClassifierCV(ensemble=False)`).
 */
export const calibrationOf = (
  method: 'platt' | 'isotonic',
  held: Float64Array,
  corrected: Float64Array,
  { labels, classNames }: ClassDataset,
): FittedCalibration => {
  const classes = classNames.length
  return {
    method,
    arrays: fitCalibration(method, held, labels, classes),
    before: scoreProbabilities(held, labels, classes),
    after: scoreProbabilities(corrected, labels, classes),
  }
}
