import { encodedColumns, encodeInto } from '../features/encoder.ts'
import { hideUnknownCategories } from '../features/hide-unknown-categories.ts'
import { standardiseInto } from '../features/standardiser.ts'
import { openCalibration } from './calibration/open-calibration.ts'
import type { ModelFamily, ModelKind } from './candidate.ts'
import { familyInput, familyScorers } from './family-scorers.ts'
import type { StandardiserParameters } from './manifest.ts'
import { ArtefactCorrupt } from './model-errors.ts'
import { outputsOf, type Scorer } from './scorer.ts'
import type { Sections } from './sections.ts'

/** Small enough for a block and one tree to stay in a core's cache, large enough to make its overhead vanish. */
const BLOCK_ROWS = 256

export type ScorerParts = {
  readonly kind: ModelKind
  readonly family: ModelFamily
  readonly featureNames: readonly string[]
  /** The categories of each feature, none for a number. */
  readonly categories: readonly (readonly string[])[]
  readonly classNames: readonly string[]
  /** Null for a family that reads raw features. */
  readonly standardiser: StandardiserParameters | null
  /** How the family's probabilities are corrected; null where they are not. */
  readonly calibration: 'platt' | 'isotonic' | null
  readonly sections: Sections
}

type ScoreRows = (features: Float64Array, rows: number, out: Float64Array) => void

/** Scores encoded and standardised rows, block by block. */
const throughStandardiser = (parts: ScorerParts, outputs: number): ScoreRows => {
  const { kind, family, sections } = parts
  const categories = Int32Array.from(parts.categories, ({ length }) => length)
  const columns = encodedColumns(categories)
  if (parts.standardiser?.mean.length !== columns || parts.standardiser.scale.length !== columns) {
    throw new ArtefactCorrupt(`the model needs a standardiser of ${columns} columns`)
  }
  const standardiser = {
    mean: Float64Array.from(parts.standardiser.mean),
    scale: Float64Array.from(parts.standardiser.scale),
  }
  const score = familyScorers[family](sections, { kind, columns, outputs })
  const hasCategories = categories.some((count) => count > 0)
  const encoded = new Float64Array(hasCategories ? BLOCK_ROWS * columns : 0)
  const block = new Float64Array(BLOCK_ROWS * columns)
  return (features, rows, out) => {
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - row)
      if (hasCategories) {
        encodeInto(categories, features, row, count, encoded)
        standardiseInto(standardiser, encoded, 0, count, block)
      } else standardiseInto(standardiser, features, row, count, block)
      score(block, 0, count, out, row * outputs)
    }
  }
}

/**
 * Scores the features as they are. Only of categories the family is told nothing but the codes, so one that the model
 * does not know is given as a missing value.
 */
const throughRaw = ({ kind, family, featureNames, categories, sections }: ScorerParts, outputs: number): ScoreRows => {
  const columns = featureNames.length
  const score = familyScorers[family](sections, { kind, columns, outputs })
  const counts = categories.map(({ length }) => length)
  if (counts.every((count) => count === 0)) return (features, rows, out) => score(features, 0, rows, out, 0)
  const block = new Float64Array(BLOCK_ROWS * columns)
  return (features, rows, out) => {
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - row)
      hideUnknownCategories(counts, features, row, count, block)
      score(block, 0, count, out, row * outputs)
    }
  }
}

/**
 * A scorer over compiled arrays. It keeps its working memory, so one scorer serves one thread.
 * @throws ArtefactCorrupt if the arrays are none that the family could score with
 */
export const createScorer = (parts: ScorerParts): Scorer => {
  const { kind, featureNames, classNames, family } = parts
  const columns = featureNames.length
  const outputs = outputsOf(kind, classNames)
  const score = familyInput[family] === 'raw' ? throughRaw(parts, outputs) : throughStandardiser(parts, outputs)
  const calibrate = parts.calibration === null ? null : openCalibration(parts.sections, parts.calibration, outputs)

  return {
    kind,
    featureNames,
    classNames,
    outputs,
    scoreBlock: (features, rows, out) => {
      if (features.length < rows * columns || out.length < rows * outputs) {
        throw new RangeError(
          `${rows} rows need ${rows * columns} features and room for ${rows * outputs} outputs; ` +
            `there are ${features.length} and ${out.length}`,
        )
      }
      score(features, rows, out)
      calibrate?.(out, rows, 0)
    },
  }
}
