import { flatForestOf } from '../../models/forest/forest-sections.ts'
import { type ImpurityCriterion, impurityImportance } from '../../models/importance/impurity-importance.ts'
import { openBinary } from '../../models/load-scorer.ts'
import type { ModelArtefact, ModelManifest } from '../../models/manifest.ts'
import { outputsOf } from '../../models/scorer.ts'

export type FeatureImportance = { readonly feature: string; readonly importance: number }

const criterionOf = ({ kind, parameters }: ModelManifest): ImpurityCriterion => {
  if (kind === 'regression') return 'squared_error'
  return parameters['criterion'] === 'entropy' ? 'entropy' : 'gini'
}

/**
 * How much each feature lessened the impurity of a forest, as shares of 1, the greatest first.
 * @returns null for other families, and for forests that do not tell how many rows came to their nodes
 * @throws ArtefactCorrupt
 */
export const featureImportance = ({ manifest, binary }: ModelArtefact): FeatureImportance[] | null => {
  if (manifest.family !== 'forest') return null
  const columns = manifest.features.length
  const outputs = outputsOf(manifest.kind, manifest.classes)
  const forest = flatForestOf(openBinary(manifest, binary), { columns, outputs })
  if (forest.combine.rule !== 'mean' || forest.cover.some((weight) => !(weight > 0))) return null
  const shares = impurityImportance(forest, columns, criterionOf(manifest))
  return manifest.features
    .map((feature, column) => ({ feature, importance: shares[column]! }))
    .sort((a, b) => b.importance - a.importance)
}
