import { AppError } from '../errors.ts'
import { countCategories } from './category-shares.ts'
import { createSample, type Sample } from './ks-test.ts'
import { createPsiBins, type PsiBins } from './psi.ts'

export type ReferenceFeature = NumberReference | CategoryReference

type AnyReference = {
  readonly name: string
  /** Rows without a value. */
  readonly missing: number
}

export type NumberReference = AnyReference & {
  readonly type: 'number'
  readonly sample: Sample
  readonly bins: PsiBins
}

export type CategoryReference = AnyReference & {
  readonly type: 'category'
  /** Those that the model knows, in the order of their codes. */
  readonly categories: readonly string[]
  /** Rows of each category, then of all others. */
  readonly counts: Float64Array
}

/** The rows that a model's windows are compared with, feature by feature, sorted or counted once. */
export type DriftReference = {
  readonly modelVersion: string
  readonly rows: number
  /** In the model's feature order. */
  readonly features: readonly ReferenceFeature[]
}

/** The reference sample of a model does not fit its features. */
export class ReferenceInvalid extends AppError {
  constructor(message: string) {
    super('REFERENCE_INVALID', message)
  }
}

const numberReference = (name: string, values: ArrayLike<number>): NumberReference => {
  const sample = createSample(values)
  return { name, type: 'number', missing: sample.missing, sample, bins: createPsiBins(sample) }
}

const categoryReference = (
  name: string,
  codes: ArrayLike<number>,
  categories: readonly string[],
): CategoryReference => ({ name, type: 'category', categories, ...countCategories(codes, categories.length) })

/**
 * Prepares a model's reference sample.
 *
 * @param columns the raw (not standardised) values of each feature, in the order of the names: categories by their
 *   codes, NaN where missing
 * @param categories the categories of each feature, none for a number; without it all are numbers
 * @throws ReferenceInvalid if the columns are not one for each feature, all of the same length
 */
export const createDriftReference = (options: {
  modelVersion: string
  featureNames: readonly string[]
  columns: readonly ArrayLike<number>[]
  categories?: readonly (readonly string[])[]
}): DriftReference => {
  const { modelVersion, featureNames, columns } = options
  const rows = columns[0]?.length ?? 0
  if (columns.length !== featureNames.length || columns.some((column) => column.length !== rows)) {
    throw new ReferenceInvalid(
      `The reference of model version ${modelVersion} has columns of ${columns.map((column) => column.length).join(', ')} values for ${featureNames.length} features. Train the model again.`,
    )
  }
  const features = featureNames.map((name, index) => {
    const categories = options.categories?.[index] ?? []
    return categories.length > 0
      ? categoryReference(name, columns[index]!, categories)
      : numberReference(name, columns[index]!)
  })
  return { modelVersion, rows, features }
}
