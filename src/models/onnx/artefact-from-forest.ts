import { createHash } from 'node:crypto'
import { classNamesOf, type Dataset, DatasetInvalid, takeRows } from '../../features/dataset.ts'
import { digestRows } from '../../features/digest.ts'
import { hideUnknownCategories } from '../../features/hide-unknown-categories.ts'
import { createRandom } from '../../features/random.ts'
import { sampleRows } from '../../features/stratified.ts'
import { createScorer } from '../create-scorer.ts'
import { evaluate } from '../evaluate.ts'
import type { FlatForest } from '../forest/flat-forest.ts'
import { packForest } from '../forest/forest-sections.ts'
import { pickGoldenRows } from '../golden-rows.ts'
import { headlineOf } from '../headline.ts'
import type { ModelArtefact } from '../manifest.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import { REFERENCE_SECTION } from '../reference.ts'
import { createSections, packSections } from '../sections.ts'
import { coverOf } from './forest-cover.ts'
import { OnnxRefused } from './onnx-refused.ts'

/** What `engine` says of a model that was trained elsewhere. */
export const IMPORTED_ENGINE = 'onnx'

export type ImportedModel = {
  readonly task: string
  readonly name: string
  /** In the order of the task's features and classes, as `importOnnx` gives it for a task. */
  readonly forest: FlatForest
  /** What is known of where it comes from, such as the digest of the file. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>
  /** The task's rows: golden rows, covers and the reference sample are taken from them. */
  readonly dataset: Dataset
  /** The rows that the model is measured on, where they are others. It may have been trained on either. */
  readonly test?: Dataset
  readonly referenceRows: number
  /** The version in production, or null. */
  readonly parent: string | null
  readonly reason?: string
}

/**
 * A forest from elsewhere as a stored model, which is loaded, checked and swapped in like any other. It was not
 * cross-validated here: `metrics.cv` has 0 folds and the score of the test rows.
 * @throws OnnxRefused if the forest cannot be scored with
 * @throws DatasetInvalid if the rows do not fit the forest
 */
export const artefactFromForest = (model: ImportedModel): ModelArtefact => {
  const { dataset, test = dataset } = model
  const { kind, featureNames, categories } = dataset
  if (dataset.rows === 0)
    throw new DatasetInvalid('there are no rows of the task to take golden and reference rows from')
  const classNames = classNamesOf(dataset)
  if (model.forest.outputs !== Math.max(1, classNames.length)) {
    throw new OnnxRefused(
      `the forest gives ${model.forest.outputs} numbers a row, and the task's rows have ${classNames.length} classes`,
    )
  }
  const known = new Float64Array(dataset.features.length)
  hideUnknownCategories(
    categories.map(({ length }) => length),
    ...([dataset.features, 0, dataset.rows, known] as const),
  )
  const forest = { ...model.forest, cover: coverOf(model.forest, known, featureNames.length) }
  const arrays = packForest(forest)
  const sections = createSections(arrays)
  const open = () =>
    createScorer({
      ...{ kind, family: 'forest', featureNames, categories, classNames },
      ...{ standardiser: null, calibration: null, sections },
    })
  let scorer: ReturnType<typeof open>
  try {
    scorer = open()
  } catch (cause) {
    if (!(cause instanceof ArtefactCorrupt)) throw cause
    throw new OnnxRefused(`the forest cannot be scored with: ${cause.message}; train and export it again`, { cause })
  }
  const sample = takeRows(dataset, sampleRows(dataset.rows, model.referenceRows, createRandom(0, 'reference')))
  const packed = packSections([...arrays, { name: REFERENCE_SECTION, values: sample.features }])
  const tested = evaluate(scorer, test)
  const { metric, value } = headlineOf(tested)
  return {
    binary: packed.binary,
    manifest: {
      format: 2,
      task: model.task,
      name: model.name,
      kind,
      family: 'forest',
      engine: IMPORTED_ENGINE,
      parameters: { ...model.parameters },
      features: [...featureNames],
      categories: categories.map((names) => [...names]),
      classes: [...classNames],
      standardiser: null,
      calibration: null,
      seed: 0,
      data: {
        digest: digestRows(dataset),
        base_rows: dataset.rows,
        recent_rows: 0,
        train_rows: 0,
        test_rows: test.rows,
      },
      reference: { source: 'training', rows: sample.rows },
      metrics: {
        cv: { metric, mean: value, sd: 0, se: 0, folds: 0, repeats: 0 },
        train: evaluate(scorer, dataset),
        test: tested,
      },
      candidates: [],
      golden: pickGoldenRows(scorer, dataset),
      parent: model.parent,
      reason: model.reason ?? 'imported',
      binary: {
        sha256: createHash('sha256').update(packed.binary).digest('hex'),
        bytes: packed.binary.byteLength,
        sections: packed.sections,
      },
    },
  }
}
