import type { Dataset } from '../dataset.ts'
import { categoriesOf, type FeatureSpec } from '../feature-spec.ts'
import type { ValidationIssue } from './validation-report.ts'

const same = (a: readonly unknown[], b: readonly unknown[]): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Whether the rows have the features and categories of the task, in its order. */
export const checkSchema = (dataset: Dataset, features: readonly FeatureSpec[]): ValidationIssue[] => {
  const mismatch = (feature: string | null, message: string): ValidationIssue => ({
    ...{ severity: 'error', code: 'SCHEMA_MISMATCH', feature, message },
    remedy: 'read the rows with the features of the task',
  })
  const wanted = features.map(({ name }) => name)
  if (!same(dataset.featureNames, wanted)) {
    return [mismatch(null, `the rows have the features [${dataset.featureNames}], and the task [${wanted}]`)]
  }
  const categories = categoriesOf(features)
  return wanted
    .filter((_, column) => !same(dataset.categories[column] ?? [], categories[column] ?? []))
    .map((name) => mismatch(name, `${name} has other categories in the rows than in the task`))
}
