import { countClasses, type Dataset, takeRows } from '../dataset.ts'
import { createRandom, shuffle } from '../random.ts'
import { rowsOutside, sampleRows, stratifiedFolds } from '../stratified.ts'
import { fitSingleFeatureTree, type TreeTarget } from './single-feature-tree.ts'
import type { ValidationIssue } from './validation-report.ts'

/** With fewer rows a feature may decide alone by luck. */
const MIN_ROWS = 40
/** Rows that are looked at; more do not change the verdict. */
const MAX_ROWS = 2000

const FOLDS = 5

/** Share of the rows that may be wrong for lying next to a cut, however many classes there are. */
const MAX_AT_CUTS = 0.02

/**
 * How well one feature predicts alone before it is suspected of holding the target: accuracy of classes, R2 of numbers.
 * `certain` is an error only where every other feature is worse by `lead`: where several decide alone, the
 * task may just be easy. A class that nearly all rows have gives a high accuracy to whoever always names it: there a
 * suspect has to be right in nine of ten of the other rows, too, and half of these are lead enough.
 */
const LIMITS = {
  classification: { certain: 0.998, suspect: 0.99, lead: 0.03 },
  regression: { certain: 0.995, suspect: 0.98, lead: 0.05 },
} as const

/** Leaves enough for each class to lie in several places, or for a curve. */
const depthFor = (dataset: Dataset): number =>
  dataset.kind === 'regression' ? 8 : Math.ceil(Math.log2(dataset.classNames.length)) + 2

const targetOf = (dataset: Dataset): TreeTarget =>
  dataset.kind === 'regression'
    ? { kind: 'regression', targets: dataset.targets }
    : { kind: 'classification', labels: dataset.labels, classes: dataset.classNames.length }

/** Accuracy or R2 of predictions. */
const scoreOf = (target: TreeTarget, predicted: Float64Array): number => {
  if (target.kind === 'classification') {
    let right = 0
    target.labels.forEach((label, row) => {
      if (predicted[row] === label) right++
    })
    return right / predicted.length
  }
  const { targets } = target
  const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length
  let errors = 0
  let squares = 0
  targets.forEach((value, row) => {
    errors += (value - predicted[row]!) ** 2
    squares += (value - mean) ** 2
  })
  return squares === 0 ? 0 : 1 - errors / squares
}

/** The rows of each fold. Those of a rare class are spread over all. */
const dealRows = (dataset: Dataset): Int32Array[] => {
  const random = createRandom(1, 'leakage')
  if (dataset.kind === 'classification') {
    return stratifiedFolds(dataset.labels, dataset.classNames.length, FOLDS, random)
  }
  const order = shuffle(
    Int32Array.from({ length: dataset.rows }, (_, row) => row),
    random,
  )
  return Array.from({ length: FOLDS }, (_, fold) => order.filter((_row, place) => place % FOLDS === fold))
}

/**
 * How well each feature predicts alone: a small tree on it is grown on four fifths of the rows and tried on the rest, in
 * turn, so that an identifier of each row does not look like knowledge.
 */
export const scoreFeaturesAlone = (dataset: Dataset): number[] => {
  const { rows, featureNames, features } = dataset
  const target = targetOf(dataset)
  const folds = dealRows(dataset).map((held) => ({ held, rest: rowsOutside(rows, held) }))
  return featureNames.map((_, column) => {
    const values = Float64Array.from({ length: rows }, (_row, row) => features[row * featureNames.length + column]!)
    const predicted = new Float64Array(rows)
    for (const { held, rest } of folds) {
      const rule = fitSingleFeatureTree(values, target, rest, depthFor(dataset))
      for (const row of held) predicted[row] = rule(values[row]!)
    }
    return scoreOf(target, predicted)
  })
}

/** Share of the rows that are not of the most frequent class; 1 for numbers. */
const shareOfOthers = (dataset: Dataset): number =>
  dataset.kind === 'regression'
    ? 1
    : 1 - countClasses(dataset.labels, dataset.classNames.length).reduce((a, b) => Math.max(a, b), 0) / dataset.rows

/** Whether a feature decides the target alone, as a copy of it or a thing that is only known afterwards would. */
export const checkLeakage = (dataset: Dataset): ValidationIssue[] => {
  if (dataset.rows < MIN_ROWS) return []
  const looked = takeRows(dataset, sampleRows(dataset.rows, MAX_ROWS, createRandom(1, 'leakage sample')))
  const alone = scoreFeaturesAlone(looked)
  const { certain, suspect, lead } = LIMITS[dataset.kind]
  const others = shareOfOthers(looked)
  if (others === 0) return []
  const cuts = looked.kind === 'classification' ? looked.classNames.length - 1 : 0
  // The row next to a cut may fall on the wrong side when it is the one that was held out.
  const atCuts = Math.min(cuts / looked.rows, MAX_AT_CUTS, others / 20)
  const leadNeeded = Math.min(lead, others / 2)
  const figure = dataset.kind === 'classification' ? 'accuracy' : 'R2'
  return dataset.featureNames.flatMap((feature, column): ValidationIssue[] => {
    const score = alone[column]!
    if (score + atCuts < Math.max(suspect, 1 - others / 10)) return []
    const next = Math.max(0, ...alone.filter((_, other) => other !== column))
    const compared = alone.length === 1 ? 'it is the only feature' : `the best other feature ${next.toFixed(3)}`
    return [
      {
        severity: score + atCuts >= certain && alone.length > 1 && score - next >= leadNeeded ? 'error' : 'warning',
        code: 'LABEL_LEAKAGE',
        feature,
        message: `${feature} alone predicts the target with ${figure} ${score.toFixed(3)}; ${compared}`,
        remedy: 'leave it out if it is the target in other words, a row number, or known only after the fact',
      },
    ]
  })
}
