import type { Prediction } from '../events.ts'
import { categoryCode } from '../features/category-code.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'

/**
 * How many of the predictions had a category that the model does not know, by feature.
 * @param specs the features in the order of the model that made them, with its categories
 */
export const countUnknownCategories = (
  predictions: readonly Pick<Prediction, 'features'>[],
  specs: readonly FeatureSpec[],
): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  specs.forEach((spec, column) => {
    if (spec.type !== 'category') return
    const { categories } = spec
    const isUnknown = (value: unknown): boolean =>
      typeof value === 'string' && categoryCode(categories, value) === categories.length
    const unknown = predictions.reduce((sum, { features }) => sum + (isUnknown(features[column]) ? 1 : 0), 0)
    if (unknown > 0) counts.set(spec.name, unknown)
  })
  return counts
}
