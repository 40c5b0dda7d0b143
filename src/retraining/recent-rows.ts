import { createHash } from 'node:crypto'

import { categoryCode } from '../features/category-code.ts'
import type { Dataset } from '../features/dataset.ts'
import { readDecimal } from '../features/decimal.ts'
import { categoriesOf, type FeatureSpec } from '../features/feature-spec.ts'
import type { TargetSpec } from '../features/target-spec.ts'
import type { LabelledRow } from '../history/history-types.ts'

/**
 * Whether an event belongs to those that are never trained on. It follows from the event's name alone, so it is the
 * same in every retraining: no later model is judged on rows that an earlier one has seen.
 * @param fraction share of all events, 0 to 1
 */
export const isHeldOut = (eventId: string, fraction: number): boolean =>
  createHash('sha256').update(eventId).digest().readUInt32BE(0) / 2 ** 32 < fraction

export const splitRecent = (
  rows: readonly LabelledRow[],
  holdoutFraction: number,
): { train: LabelledRow[]; holdout: LabelledRow[] } => {
  const train: LabelledRow[] = []
  const holdout: LabelledRow[] = []
  for (const row of rows) (isHeldOut(row.event_id, holdoutFraction) ? holdout : train).push(row)
  return { train, holdout }
}

/** The feature order in which a version recorded its rows; undefined where the version is not known. */
export type FeaturesOf = (modelVersion: string) => readonly string[] | undefined

/** A recorded value as a dataset has it; undefined where no event of today could have it. */
const valueIn = (spec: FeatureSpec, value: LabelledRow['features'][number] | undefined): number | undefined => {
  if (value === null || value === undefined) return spec.nullable ? Number.NaN : undefined
  if (spec.type === 'category') return typeof value === 'string' ? categoryCode(spec.categories, value) : undefined
  if (typeof value !== 'number') return undefined
  const { range } = spec
  return range !== undefined && (value < range[0] || value > range[1]) ? undefined : value
}

/** The place of each feature in the rows of a version; null where the version is not known or lacks one. */
const createColumns = (features: readonly FeatureSpec[], featuresOf: FeaturesOf) => {
  const byVersion = new Map<string, readonly number[] | null>()
  return (version: string): readonly number[] | null => {
    let columns = byVersion.get(version)
    if (columns === undefined) {
      const names = featuresOf(version)
      const found = names === undefined ? [] : features.map(({ name }) => names.indexOf(name))
      columns = names === undefined || found.includes(-1) ? null : found
      byVersion.set(version, columns)
    }
    return columns
  }
}

/**
 * Labelled rows as a dataset with the given features and target, by name: a row lists its features in the order of the
 * model that scored it, which need not be that of the task of today. Rows that lack a feature, or have a value that an
 * event of today would be refused for, or whose label is no class or number of the target, are left out. A category that
 * is not among those of its feature stays, with their number as its code.
 */
export const datasetOf = (
  rows: readonly LabelledRow[],
  options: { features: readonly FeatureSpec[]; target: TargetSpec; featuresOf: FeaturesOf },
): Dataset => {
  const { features, target } = options
  const columnsOf = createColumns(features, options.featuresOf)
  // A class by its index; -1 and NaN are none.
  const truthOf = (label: string): number =>
    target.type === 'classification' ? target.classes.indexOf(label) : readDecimal(label)

  const values: number[] = []
  const truths: number[] = []
  for (const row of rows) {
    const columns = columnsOf(row.model_version)
    const truth = truthOf(row.label)
    if (columns === null || Number.isNaN(truth) || (target.type === 'classification' && truth < 0)) continue
    const found = features.map((spec, f) => valueIn(spec, row.features[columns[f]!]))
    if (found.includes(undefined)) continue
    for (const value of found) values.push(value ?? Number.NaN)
    truths.push(truth)
  }
  const about = {
    featureNames: features.map(({ name }) => name),
    categories: categoriesOf(features),
    rows: truths.length,
    features: Float64Array.from(values),
  }
  return target.type === 'classification'
    ? { ...about, kind: 'classification', classNames: target.classes, labels: Int32Array.from(truths) }
    : { ...about, kind: 'regression', targets: Float64Array.from(truths) }
}
