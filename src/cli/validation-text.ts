import type { ValidationReport } from '../features/validate/validation-report.ts'

/** What was found in rows, a line for each. */
export const validationText = ({ rows, features, issues }: ValidationReport): string => {
  if (issues.length === 0) return `${rows} rows of ${features} features: nothing found`
  const lines = issues.map(({ severity, code, message, remedy }) => `  ${severity} ${code}: ${message}; ${remedy}`)
  const errors = issues.filter(({ severity }) => severity === 'error').length
  return [`${rows} rows of ${features} features: ${errors} errors, ${issues.length - errors} warnings`, ...lines].join(
    '\n',
  )
}
