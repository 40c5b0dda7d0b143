import { encodedColumns } from '../../features/encoder.ts'
import { hideUnknownCategories } from '../../features/hide-unknown-categories.ts'
import { flatForestOf } from '../forest/forest-sections.ts'
import { openBinary } from '../load-scorer.ts'
import type { ModelManifest } from '../manifest.ts'
import { checkManifest } from '../manifest-codec.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import { outputsOf } from '../scorer.ts'
import type { Sections } from '../sections.ts'
import type { ContributionUnit, Explainer, RowExplainer } from './explainer.ts'
import { createForestExplainer } from './forest-explainer.ts'
import { createLinearExplainer } from './linear-explainer.ts'
import { ModelNotExplainable } from './model-not-explainable.ts'

type Opened = { readonly explainer: RowExplainer; readonly unit: ContributionUnit }

/** A forest is told nothing of categories but the codes: one that is not known is given as a missing value, as in scoring. */
const hidingUnknown = (explainer: RowExplainer, categories: readonly number[]): RowExplainer => {
  if (categories.every((count) => count === 0)) return explainer
  const columns = categories.length
  const row = new Float64Array(columns)
  const known = new Float64Array(columns)
  return {
    ...explainer,
    explain: (features, out, from = 0, at = 0) => {
      for (let column = 0; column < columns; column++) row[column] = features[from + column]!
      hideUnknownCategories(categories, row, 0, 1, known)
      explainer.explain(known, out, 0, at)
    },
  }
}

const openForest = (manifest: ModelManifest, sections: Sections, outputs: number): Opened => {
  const columns = manifest.features.length
  const forest = flatForestOf(sections, { columns, outputs })
  const { combine } = forest
  const transformed = combine.rule === 'sum' && combine.transform !== 'none'
  return {
    explainer: hidingUnknown(
      createForestExplainer(forest, columns),
      manifest.categories.map(({ length }) => length),
    ),
    unit: transformed ? 'margin' : manifest.kind === 'regression' ? 'value' : 'probability',
  }
}

const openLinear = (manifest: ModelManifest, sections: Sections, outputs: number): Opened => {
  const categories = Int32Array.from(manifest.categories, ({ length }) => length)
  const columns = encodedColumns(categories)
  const { standardiser } = manifest
  if (standardiser?.mean.length !== columns || standardiser.scale.length !== columns) {
    throw new ArtefactCorrupt(`the model needs a standardiser of ${columns} columns`)
  }
  const name = sections.has('softmax_weights') ? 'softmax_weights' : 'weights'
  const weights = sections.float64(name, outputs * (columns + 1))
  return {
    explainer: createLinearExplainer({ weights, outputs, standardiser, categories }),
    unit: manifest.kind === 'regression' ? 'value' : 'margin',
  }
}

/**
 * An explainer of a stored model: exact path-dependent Shapley values of a forest, in probabilities or in the target's
 * unit; those of a linear model with independent features, in log-odds (before they are turned into probabilities) or
 * in the target's unit. Where the model's probabilities are calibrated, what is explained is what went in.
 * @throws ArtefactCorrupt
 * @throws ModelNotExplainable for a support vector machine, and for a forest without counts of training rows
 */
export const createExplainer = (manifest: ModelManifest, binary: Uint8Array): Explainer => {
  const checked = checkManifest(manifest)
  const { family, kind, features, classes } = checked
  if (family === 'svm') {
    throw new ModelNotExplainable(
      `model '${checked.name}' is a support vector machine, which has no exact contributions of features; ` +
        'forests, logistic regressions and ridge regressions have',
    )
  }
  const outputs = outputsOf(kind, classes)
  const sections = openBinary(checked, binary)
  const { explainer, unit } =
    family === 'forest' ? openForest(checked, sections, outputs) : openLinear(checked, sections, outputs)
  return {
    expected: explainer.expected,
    explain: (rows, out, from = 0, at = 0) => {
      if (rows.length < from + features.length || out.length < at + features.length * outputs) {
        throw new RangeError(
          `a row of ${features.length} features from ${from} on needs room for ${features.length * outputs} ` +
            `contributions from ${at} on; there are ${rows.length} and ${out.length} numbers`,
        )
      }
      explainer.explain(rows, out, from, at)
    },
    unit,
    featureNames: Object.freeze([...features]),
    classNames: Object.freeze([...classes]),
    outputs,
  }
}
