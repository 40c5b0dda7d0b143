import type { Dataset } from '../features/dataset.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { classesOf, type TargetSpec } from '../features/target-spec.ts'
import type { HistoryReader } from '../history/history-types.ts'
import { evaluateOutputs, scoreAll } from '../models/evaluate.ts'
import type { Evaluation } from '../models/manifest.ts'
import { inModelOrder, type ModelInputs, ModelUnsuitable } from '../models/predict.ts'
import type { Scorer } from '../models/scorer.ts'
import { datasetOf, type FeaturesOf, splitRecent } from './recent-rows.ts'
import type { NotReady } from './retraining-types.ts'

/** A model as far as it is measured. */
export type MeasuredModel = ModelInputs & { readonly scorer: Scorer }

/** How a model did on the held-out rows. */
export type Measured = {
  readonly evaluation: Evaluation
  /** Row-major, in the order of the rows and of the task's classes. */
  readonly outputs: Float64Array
}

export type RecentLabels = {
  status: 'ready'
  /** Labelled rows in all. */
  labels: number
  train: Dataset
  /** Rows that no retraining trains on. */
  holdout: Dataset
  /** How a model does on the held-out rows; null where it knows other features or classes than the task of today. */
  measure: (model: MeasuredModel) => Measured | null
}

/** The task's target with the classes in the order of the model; null where the model has another target. */
const targetOf = (scorer: Scorer, target: TargetSpec): TargetSpec | null => {
  if (scorer.kind !== target.type) return null
  if (target.type === 'regression') return target
  const { classNames } = scorer
  const same = classNames.length === target.classes.length && classNames.every((name) => target.classes.includes(name))
  return same ? { ...target, classes: classNames } : null
}

/** The features as the model takes them; null where it takes others than the task has. */
const featuresFor = (model: MeasuredModel, features: readonly FeatureSpec[]): readonly FeatureSpec[] | null => {
  try {
    return inModelOrder(features, model)
  } catch (error) {
    if (error instanceof ModelUnsuitable) return null
    throw error
  }
}

/** The columns of row-major outputs in another order of the classes. */
const inClassOrder = (outputs: Float64Array, from: readonly string[], to: readonly string[]): Float64Array => {
  if (from.length < 2) return outputs
  const places = to.map((name) => from.indexOf(name))
  return outputs.map((_, i) => outputs[i - (i % from.length) + places[i % from.length]!]!)
}

/** Reads the labelled rows of late and sets a part of them aside. Not ready while there are too few. */
export const readRecentLabels = async (options: {
  history: Pick<HistoryReader, 'labelledRows' | 'countLabelled'>
  features: readonly FeatureSpec[]
  target: TargetSpec
  featuresOf: FeaturesOf
  sinceEventTime: number | null
  /** At most so many rows, the newest. */
  recentLabels: number
  minLabels: number
  holdoutFraction: number
}): Promise<RecentLabels | NotReady> => {
  const { history, features, target, featuresOf, holdoutFraction } = options
  const since = options.sinceEventTime === null ? {} : { sinceEventTime: options.sinceEventTime }
  const needed = Math.min(options.minLabels, options.recentLabels)
  const notReady = (labels: number, what: string): NotReady => {
    const from = options.sinceEventTime === null ? '' : ` since ${new Date(options.sinceEventTime).toISOString()}`
    return { status: 'not_ready', labels, needed, reason: `${labels} of ${needed} ${what}${from}` }
  }

  const counted = await history.countLabelled(since)
  if (counted < needed) return notReady(counted, 'labelled events')

  const rows = await history.labelledRows({ limit: options.recentLabels, ...since })
  const split = splitRecent(rows, holdoutFraction)
  const shape = { features, target, featuresOf }
  const train = datasetOf(split.train, shape)
  const holdout = datasetOf(split.holdout, shape)
  const labels = train.rows + holdout.rows
  if (labels < needed) return notReady(labels, 'labelled events with the features and labels of the task')
  if (train.rows === 0 || holdout.rows === 0) return notReady(labels, 'labelled events, none of them to compare on')

  return {
    status: 'ready',
    labels,
    train,
    holdout,
    measure: (model) => {
      const { scorer } = model
      const own = { features: featuresFor(model, features), target: targetOf(scorer, target) }
      if (own.features === null || own.target === null) return null
      const seen = datasetOf(split.holdout, { features: own.features, target: own.target, featuresOf })
      // A comparison is fair on the same rows only.
      if (seen.rows !== holdout.rows) return null
      const outputs = scoreAll(scorer, seen)
      return {
        evaluation: evaluateOutputs(outputs, seen),
        outputs: inClassOrder(outputs, scorer.classNames, classesOf(target)),
      }
    },
  }
}
