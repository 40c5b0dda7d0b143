import { type Dataset, takeRows } from '../dataset.ts'
import { createRandom, shuffle } from '../random.ts'
import { rowsOutside, sampleRows } from '../stratified.ts'
import { fitSingleFeatureTree, type TreeTarget } from './single-feature-tree.ts'
import type { ValidationIssue } from './validation-report.ts'

/** With fewer rows a feature may decide alone by luck. */
const MIN_ROWS = 40
/** Rows that are looked at; more do not change the verdict. */
const MAX_ROWS = 2000

const FOLDS = 5

/**
 * How well one feature predicts alone before it is suspected of holding the target: accuracy of classes, R2 of numbers.
 * `certain` is an error only where every other feature is worse by `lead`: where several decide alone, the
 * task may just be easy.
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

/**
 * How well each feature predicts alone: a small tree on it is grown on four fifths of the rows and tried on the rest, in
 * turn, so that an identifier of each row does not look like knowledge.
 */
export const scoreFeaturesAlone = (dataset: Dataset): number[] => {
  const { rows, featureNames, features } = dataset
  const target = targetOf(dataset)
  const order = shuffle(
    Int32Array.from({ length: rows }, (_, row) => row),
    createRandom(1, 'leakage'),
  )
  const folds = Array.from({ length: FOLDS }, (_, fold) => {
    const held = order.filter((_row, place) => place % FOLDS === fold)
    return { held, rest: rowsOutside(rows, held) }
  })
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

/** Whether a feature decides the target alone, as a copy of it or a thing that is only known afterwards would. */
export const checkLeakage = (dataset: Dataset): ValidationIssue[] => {
  if (dataset.rows < MIN_ROWS) return []
  const looked = takeRows(dataset, sampleRows(dataset.rows, MAX_ROWS, createRandom(1, 'leakage sample')))
  const alone = scoreFeaturesAlone(looked)
  const { certain, suspect, lead } = LIMITS[dataset.kind]
  // The row next to a cut may fall on the wrong side when it is the one that was held out.
  const atCuts = looked.kind === 'classification' ? (looked.classNames.length - 1) / looked.rows : 0
  const figure = dataset.kind === 'classification' ? 'accuracy' : 'R2'
  return dataset.featureNames.flatMap((feature, column): ValidationIssue[] => {
    const score = alone[column]!
    if (score + atCuts < suspect) return []
    const next = Math.max(0, ...alone.filter((_, other) => other !== column))
    const others = alone.length === 1 ? 'it is the only feature' : `the best other feature ${next.toFixed(3)}`
    return [
      {
        severity: score + atCuts >= certain && alone.length > 1 && score - next >= lead ? 'error' : 'warning',
        code: 'LABEL_LEAKAGE',
        feature,
        message: `${feature} alone predicts the target with ${figure} ${score.toFixed(3)}; ${others}`,
        remedy: 'leave it out if it is the target in other words, a row number, or known only after the fact',
      },
    ]
  })
}
