import { AppError, type AppErrorOptions } from '../errors.ts'

type FeatureRows = {
  readonly featureNames: readonly string[]
  /** The categories of each feature, none for a number. */
  readonly categories: readonly (readonly string[])[]
  readonly rows: number
  /** Row-major, `rows * featureNames.length` raw values; NaN where missing; a category by its code. */
  readonly features: Float64Array
}

/** Rows of which the class is known. */
export type ClassDataset = FeatureRows & {
  readonly kind: 'classification'
  readonly classNames: readonly string[]
  /** One index into `classNames` per row. */
  readonly labels: Int32Array
}

/** Rows of which a number is known. */
export type NumberDataset = FeatureRows & {
  readonly kind: 'regression'
  /** One finite number per row. */
  readonly targets: Float64Array
}

/** Labelled rows. */
export type Dataset = ClassDataset | NumberDataset

/** Rows cannot be used as they are: the message names the file, line, column, value and what is allowed. */
export class DatasetInvalid extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('DATASET_INVALID', message, options)
  }
}

/** The classes of the rows, none for numbers. */
export const classNamesOf = (dataset: Dataset): readonly string[] =>
  dataset.kind === 'classification' ? dataset.classNames : []

const takeFeatures = ({ features, featureNames }: Dataset, indices: ArrayLike<number>): Float64Array => {
  const columns = featureNames.length
  const taken = new Float64Array(indices.length * columns)
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!
    taken.set(features.subarray(row * columns, (row + 1) * columns), i * columns)
  }
  return taken
}

/** The rows at `indices`, in that order, as a dataset of their own. */
export const takeRows = <D extends Dataset>(dataset: D, indices: ArrayLike<number>): D => {
  const rows = indices.length
  const features = takeFeatures(dataset, indices)
  if (dataset.kind === 'classification') {
    const { labels } = dataset
    return { ...dataset, rows, features, labels: Int32Array.from(indices, (row) => labels[row]!) }
  }
  const { targets } = dataset as NumberDataset
  return { ...dataset, rows, features, targets: Float64Array.from(indices, (row) => targets[row]!) }
}

/** Whether two sets of rows have the same features, categories and classes, in the same order. */
const isAlike = (a: Dataset, b: Dataset): boolean => describeDataset(a) === describeDataset(b)

const describeDataset = (dataset: Dataset): string =>
  JSON.stringify([dataset.kind, dataset.featureNames, dataset.categories, classNamesOf(dataset)])

const joined = <A extends Float64Array | Int32Array>(first: A, second: A): A => {
  const all = new (first.constructor as new (length: number) => A)(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

/**
 * The rows of `first`, then those of `second`.
 * @throws DatasetInvalid unless both have the same features and classes in the same order
 */
export const joinRows = <D extends Dataset>(first: D, second: D): D => {
  if (!isAlike(first, second)) {
    throw new DatasetInvalid(
      `rows of features [${first.featureNames}] and classes [${classNamesOf(first)}] cannot be joined with rows of ` +
        `features [${second.featureNames}] and classes [${classNamesOf(second)}]; both need the same, in the same order`,
    )
  }
  const features = joined(first.features, second.features)
  const rows = first.rows + second.rows
  return first.kind === 'classification'
    ? { ...first, rows, features, labels: joined(first.labels, (second as ClassDataset).labels) }
    : { ...first, rows, features, targets: joined((first as NumberDataset).targets, (second as NumberDataset).targets) }
}

/** How many rows each class has, in class order. */
export const countClasses = (labels: Int32Array, classes: number): Int32Array => {
  const counts = new Int32Array(classes)
  for (const label of labels) counts[label] = counts[label]! + 1
  return counts
}
