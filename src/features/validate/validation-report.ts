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

/** The rows cannot be trained on as they are; the message has all that is wrong with them. */
export class TrainingDataRefused extends AppError {
  readonly report: ValidationReport

  constructor(report: ValidationReport) {
    const errors = errorsOf(report)
    super(
      'TRAINING_DATA_REFUSED',
      `the ${report.rows} rows cannot be trained on: ${errors.map(describeIssue).join(' | ')} ` +
        `(what is meant to be so can be accepted by its code: --accept ${errors[0]?.code ?? ''})`,
    )
    this.report = report
  }
}
