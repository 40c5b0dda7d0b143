import type { Config } from '../config/config.ts'
import type { Dataset } from '../features/dataset.ts'
import { validateDataset } from '../features/validate/validate-dataset.ts'
import type { ValidationCode, ValidationReport } from '../features/validate/validation-report.ts'

/** Looks at the rows of a configured task as its training will split them. */
export const validateTaskRows = (
  { task }: Config,
  dataset: Dataset,
  accept: readonly ValidationCode[],
): ValidationReport =>
  validateDataset(dataset, {
    features: task.features,
    folds: task.training.folds,
    testFraction: task.dataset.testFraction,
    accept,
  })
