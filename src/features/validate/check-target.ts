import { countClasses, type Dataset } from '../dataset.ts'
import type { ValidationIssue } from './validation-report.ts'

/** Of two classes this far apart in size, the smaller one hardly counts in the accuracy. */
const IMBALANCE = 20

const FEW_ROWS = 50
const FEW_ROWS_PER_FEATURE = 5

export type TargetOptions = { readonly folds: number; readonly testFraction: number }

/** Classes that are told one by one; a column of names has as many as rows. */
const MAX_LISTED = 5

/** The first of issues that say the same of one class each, and how many there are besides. */
const shorten = (issues: readonly ValidationIssue[]): ValidationIssue[] => {
  const more = issues.length - MAX_LISTED
  if (more <= 1) return [...issues]
  const message = `${more} more classes have as few rows`
  const remedy = 'look whether the target is the right column'
  return [...issues.slice(0, MAX_LISTED), { ...issues[0]!, message, remedy }]
}

const checkClasses = (labels: Int32Array, classNames: readonly string[], options: TargetOptions): ValidationIssue[] => {
  const { folds, testFraction } = options
  const counts = [...countClasses(labels, classNames.length)]
  const tooSmall: ValidationIssue[] = []
  const small: ValidationIssue[] = []
  counts.forEach((count, index) => {
    const name = classNames[index]!
    // As the split does it: at least one row of each class is kept for testing.
    const testRows = testFraction === 0 ? 0 : Math.max(1, Math.round(count * testFraction))
    const training = count - testRows
    if (training < 2) {
      tooSmall.push({
        ...{ severity: 'error', code: 'CLASS_TOO_SMALL', feature: null },
        message: `class ${name} has ${count} rows, of which ${Math.max(0, training)} would be trained on`,
        remedy: `add rows of it, or take it out of the classes; it needs 2 to be trained on`,
      })
    } else if (training < folds) {
      small.push({
        ...{ severity: 'warning', code: 'CLASS_SMALL', feature: null },
        message: `class ${name} has ${training} rows to be trained on, fewer than the ${folds} folds: some folds do not test it`,
        remedy: 'add rows of it, or use fewer folds',
      })
    }
  })
  const issues = [...shorten(tooSmall), ...shorten(small)]
  const greatest = counts.reduce((most, count) => Math.max(most, count), 0)
  const least = counts.reduce((fewest, count) => Math.min(fewest, count), Infinity)
  if (least > 0 && greatest > IMBALANCE * least) {
    const [small, large] = [classNames[counts.indexOf(least)]!, classNames[counts.indexOf(greatest)]!]
    issues.push({
      ...{ severity: 'warning', code: 'CLASS_IMBALANCE', feature: null },
      message: `class ${large} has ${greatest} rows, and ${small} ${least}`,
      remedy: 'judge the model by macro_f1 rather than accuracy, or train with balanced class weights',
    })
  }
  return issues
}

const checkNumbers = (targets: Float64Array): ValidationIssue[] => {
  const infinite = targets.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0)
  if (infinite > 0) {
    return [
      {
        ...{ severity: 'error', code: 'VALUE_NOT_FINITE', feature: null },
        message: `the target is no finite number in ${infinite} rows`,
        remedy: 'leave these rows out',
      },
    ]
  }
  if (targets.length === 0 || targets.some((value) => value !== targets[0])) return []
  return [
    {
      ...{
        severity: 'error',
        code: 'TARGET_CONSTANT',
        feature: null,
        message: `the target is ${targets[0]} in every row`,
      },
      remedy: 'look whether this is the right column',
    },
  ]
}

/** Whether there are rows enough, of every class, and something to tell apart. */
export const checkTarget = (dataset: Dataset, options: TargetOptions): ValidationIssue[] => {
  const { rows, featureNames } = dataset
  const training = rows - Math.round(rows * options.testFraction)
  const issues: ValidationIssue[] = []
  if (training < options.folds) {
    issues.push({
      ...{ severity: 'error', code: 'TOO_FEW_ROWS', feature: null },
      message: `${training} of ${rows} rows would be trained on, in ${options.folds} folds`,
      remedy: 'add rows, or use fewer folds',
    })
  } else if (rows < FEW_ROWS || rows < FEW_ROWS_PER_FEATURE * featureNames.length) {
    issues.push({
      ...{ severity: 'warning', code: 'FEW_ROWS', feature: null },
      message: `there are ${rows} rows for ${featureNames.length} features`,
      remedy: 'take the figures of this model as a guess, and add rows',
    })
  }
  const ofTarget =
    dataset.kind === 'classification'
      ? checkClasses(dataset.labels, dataset.classNames, options)
      : checkNumbers(dataset.targets)
  return [...issues, ...ofTarget]
}
