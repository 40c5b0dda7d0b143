import type { Dataset } from '../dataset.ts'
import type { FeatureSpec } from '../feature-spec.ts'
import { checkColumns } from './check-columns.ts'
import { checkLeakage } from './check-leakage.ts'
import { checkMeaning } from './check-meaning.ts'
import { checkRows } from './check-rows.ts'
import { checkSchema } from './check-schema.ts'
import { checkTarget } from './check-target.ts'
import {
  errorsOf,
  TrainingDataRefused,
  type ValidationCode,
  type ValidationIssue,
  type ValidationReport,
} from './validation-report.ts'

export type ValidationOptions = {
  /** The features that the rows should have, in their order. */
  readonly features: readonly FeatureSpec[]
  /** Folds of the cross-validation that is to come. */
  readonly folds: number
  /** Share of the rows that is kept for testing; 0 where the test rows are others. */
  readonly testFraction: number
  /** Errors that somebody has looked at and found to be right: they become warnings. */
  readonly accept?: readonly ValidationCode[]
}

const isLeak =
  (of: string | null) =>
  ({ code, feature }: ValidationIssue): boolean =>
    code === 'LABEL_LEAKAGE' && feature === of

/**
 * Looks at rows before a model is trained on them. What makes training impossible or its result worthless is an error;
 * what may well be right is a warning. Takes time linear in the values, but for sorting.
 */
export const validateDataset = (dataset: Dataset, options: ValidationOptions): ValidationReport => {
  const { accept = [] } = options
  const about = { rows: dataset.rows, features: dataset.featureNames.length }
  const schema = checkSchema(dataset, options.features)
  // Columns that are not what they should be cannot be judged by what they should hold.
  if (schema.length > 0) return { ...about, issues: schema }
  const found = [
    ...checkColumns(dataset, options.features),
    ...checkMeaning(dataset, options.features),
    ...checkTarget(dataset, options),
    ...checkRows(dataset),
    ...checkLeakage(dataset),
  ]
    // What gives the target away is not told a second time.
    .filter(({ code, feature }, _, all) => code !== 'ROW_IDENTIFIER' || !all.some(isLeak(feature)))
    .map((issue) => (accept.includes(issue.code) ? ({ ...issue, severity: 'warning' } as const) : issue))
  const ofSeverity = (wanted: string) => found.filter(({ severity }) => severity === wanted)
  return { ...about, issues: [...ofSeverity('error'), ...ofSeverity('warning')] }
}

/** @throws TrainingDataRefused with all errors of the report, if it has any */
export const refuseErrors = (report: ValidationReport): ValidationReport => {
  if (errorsOf(report).length > 0) throw new TrainingDataRefused(report)
  return report
}
