import type { ScoredRows } from '../event-rows.ts'

/** What is told of scored rows after they are gone. */
export type RowsSummary = {
  readonly modelVersion: string
  readonly kind: 'classification' | 'regression'
  /** Rows that were scored. */
  readonly predictions: number
  /** Predictions by name of the class; empty for a regression. */
  readonly byClass: ReadonlyMap<string, number>
  /** Predictions with a category that the model does not know, by feature. */
  readonly unknownCategories: ReadonlyMap<string, number>
  /** The least event time of the rows, ms since the epoch; infinite where there is no row. */
  readonly oldestEventTime: number
}

const countClasses = ({ rows, model, classIndexes, refused }: ScoredRows): ReadonlyMap<string, number> => {
  const counts = new Float64Array(model.classNames.length)
  for (let row = 0; row < rows.length; row++) {
    if (refused.size === 0 || !refused.has(row)) counts[classIndexes[row]!]!++
  }
  const byClass = new Map<string, number>()
  model.classNames.forEach((name, index) => {
    if (counts[index]! > 0) byClass.set(name, counts[index]!)
  })
  return byClass
}

/** How many of the predictions had a category that the model does not know, by feature. */
const countUnknownCategories = ({ rows, model, features, refused }: ScoredRows): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  const width = model.featureNames.length
  model.featureNames.forEach((name, feature) => {
    const known = model.categoryCounts[feature]!
    if (known === 0) return
    let unknown = 0
    for (let row = 0; row < rows.length; row++) {
      // A missing one is NaN, and NaN is not at least anything.
      if (features[row * width + feature]! >= known && !refused.has(row)) unknown++
    }
    if (unknown > 0) counts.set(name, unknown)
  })
  return counts
}

/** Keeps nothing of the rows. */
export const summariseRows = (scored: ScoredRows): RowsSummary => {
  const { rows, model, refused } = scored
  let oldestEventTime = Number.POSITIVE_INFINITY
  for (let row = 0; row < rows.length; row++) oldestEventTime = Math.min(oldestEventTime, rows.eventTimes[row]!)
  return {
    modelVersion: model.version,
    kind: model.kind,
    predictions: rows.length - refused.size,
    byClass: model.kind === 'classification' ? countClasses(scored) : new Map(),
    unknownCategories: countUnknownCategories(scored),
    oldestEventTime,
  }
}
