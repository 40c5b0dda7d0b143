import type { Dataset } from '../features/dataset.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { refuseErrors, validateDataset } from '../features/validate/validate-dataset.ts'
import type { ValidationCode, ValidationIssue } from '../features/validate/validation-report.ts'

/** What recent rows may lack, since they are trained on together with the base rows; and what was accepted there. */
const accepted: readonly ValidationCode[] = ['TOO_FEW_ROWS', 'CLASS_TOO_SMALL', 'TARGET_CONSTANT', 'LABEL_LEAKAGE']

/**
 * Looks at recent labelled rows before a model is trained on them.
 * @param folds of the cross-validation that is to come
 * @returns what a person should know of them
 * @throws TrainingDataRefused for values that the task does not allow
 */
export const checkRecentRows = (
  rows: Dataset,
  { features, folds }: { features: readonly FeatureSpec[]; folds: number },
): readonly ValidationIssue[] =>
  refuseErrors(validateDataset(rows, { features, folds, testFraction: 0, accept: accepted })).issues
