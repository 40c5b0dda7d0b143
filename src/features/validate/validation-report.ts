import { AppError } from '../../errors.ts'

/** Everything that is looked for in rows before a model is trained on them. */
export const VALIDATION_CODES = [
  'SCHEMA_MISMATCH',
  'VALUE_NOT_FINITE',
  'VALUE_OUT_OF_RANGE',
  'VALUE_MISSING',
  'CATEGORY_UNKNOWN',
  'OFTEN_MISSING',
  'CONSTANT_FEATURE',
  'ROW_IDENTIFIER',
  'NUMBERS_AS_TEXT',
  'OUTLIERS',
  'DUPLICATE_ROWS',
  'CONTRADICTING_ROWS',
  'TOO_FEW_ROWS',
  'FEW_ROWS',
  'CLASS_TOO_SMALL',
  'CLASS_SMALL',
  'CLASS_IMBALANCE',
  'TARGET_CONSTANT',
  'LABEL_LEAKAGE',
] as const

export type ValidationCode = (typeof VALIDATION_CODES)[number]

/** Something about the rows that a person should know. An error keeps them from being trained on. */
export type ValidationIssue = {
  readonly severity: 'error' | 'warning'
  readonly code: ValidationCode
  /** The feature, or null where it is about rows or the target. */
  readonly feature: string | null
  readonly message: string
  readonly remedy: string
}

export type ValidationReport = {
  readonly rows: number
  readonly features: number
  /** Errors first. */
  readonly issues: readonly ValidationIssue[]
}

export const errorsOf = (report: ValidationReport): ValidationIssue[] =>
  report.issues.filter(({ severity }) => severity === 'error')

/** An issue in one sentence. */
export const describeIssue = ({ code, message, remedy }: ValidationIssue): string => `${code}: ${message}; ${remedy}`

/** Errors that may be what somebody meant; with the others there is nothing to train on. */
const ACCEPTABLE: readonly ValidationCode[] = ['VALUE_OUT_OF_RANGE', 'LABEL_LEAKAGE']

/** Errors that a message lists; a target with hundreds of classes may have hundreds. */
const MAX_LISTED = 5

/** The rows cannot be trained on as they are; `report` has all that is wrong with them. */
export class TrainingDataRefused extends AppError {
  readonly report: ValidationReport

  constructor(report: ValidationReport) {
    const errors = errorsOf(report)
    const listed = errors.slice(0, MAX_LISTED).map(describeIssue).join(' | ')
    const more =
      errors.length > MAX_LISTED ? ` | and ${errors.length - MAX_LISTED} more: see "driftline data check"` : ''
    const codes = ACCEPTABLE.filter((code) => errors.some((error) => error.code === code))
    const hint = codes.length > 0 ? ` (if this is meant to be so: --accept ${codes.join(',')})` : ''
    super('TRAINING_DATA_REFUSED', `the ${report.rows} rows cannot be trained on: ${listed}${more}${hint}`)
    this.report = report
  }
}
