import { classNamesOf, type Dataset, DatasetInvalid } from '../features/dataset.ts'
import { bestClass } from './best-class.ts'
import type { Evaluation } from './manifest.ts'
import { scoreConfusion } from './metrics/confusion-scores.ts'
import { scoreNumbers } from './metrics/number-scores.ts'
import { scoreProbabilities } from './metrics/probability-scores.ts'
import type { Scorer } from './scorer.ts'

/**
 * Compares outputs with the truth.
 * @param outputs row-major: a probability per class, or the predicted value
 * @param dataset the rows that the outputs are of, at least one
 */
export const evaluateOutputs = (outputs: Float64Array, dataset: Dataset): Evaluation => {
  if (dataset.kind === 'regression') {
    return { kind: 'regression', rows: dataset.rows, ...scoreNumbers(outputs, dataset.targets) }
  }
  const { classNames, labels } = dataset
  const classes = classNames.length
  const confusion = classNames.map(() => classNames.map(() => 0))
  labels.forEach((actual, row) => {
    const counts = confusion[actual]!
    const predicted = bestClass(outputs, row * classes, classes)
    counts[predicted] = counts[predicted]! + 1
  })
  const { rows, accuracy, macro_f1, per_class } = scoreConfusion(confusion, classNames)
  const probabilities = scoreProbabilities(outputs, labels, classes)
  return { kind: 'classification', rows, accuracy, macro_f1, ...probabilities, confusion, per_class }
}

/** The outputs of a scorer on all rows, row-major. */
export const scoreAll = (scorer: Scorer, dataset: Dataset): Float64Array => {
  const outputs = new Float64Array(dataset.rows * scorer.outputs)
  scorer.scoreBlock(dataset.features, dataset.rows, outputs)
  return outputs
}

const differs = (a: readonly string[], b: readonly string[]): boolean =>
  a.length !== b.length || a.some((name, i) => name !== b[i])

/**
 * Scores labelled rows and compares.
 * @throws DatasetInvalid if there are no rows, or they are of another kind, or have other features or classes than the
 * model
 */
export const evaluate = (scorer: Scorer, dataset: Dataset): Evaluation => {
  const { kind, featureNames, classNames } = scorer
  if (dataset.kind !== kind) {
    throw new DatasetInvalid(`the rows are of a ${dataset.kind}, and the model of a ${kind}; they cannot be compared`)
  }
  if (differs(dataset.featureNames, featureNames) || differs(classNamesOf(dataset), classNames)) {
    throw new DatasetInvalid(
      `the rows have features [${dataset.featureNames}] and classes [${classNamesOf(dataset)}]; ` +
        `the model needs [${featureNames}] and [${classNames}], in this order`,
    )
  }
  if (dataset.rows === 0) throw new DatasetInvalid('there are no rows to evaluate the model on')
  return evaluateOutputs(scoreAll(scorer, dataset), dataset)
}
