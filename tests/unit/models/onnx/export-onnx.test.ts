import { describe, expect, it } from 'vitest'
import type { Dataset } from '../../../../src/features/dataset.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { bestClass } from '../../../../src/models/best-class.ts'
import { packForest } from '../../../../src/models/forest/forest-sections.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import { decodeModel } from '../../../../src/models/onnx/decode-model.ts'
import { exportOnnx } from '../../../../src/models/onnx/export-onnx.ts'
import { classifiers, regressors } from '../../../support/engine-candidates.ts'
import {
  artefactOf,
  type FittedArtefact,
  fittedArtefact,
  hostileRows,
  mixedRows,
} from '../../../support/fitted-artefact.ts'
import { exampleRows, greatestError, runOnnx } from '../../../support/onnx.ts'
import { sampleForest } from '../../../support/sample-forest.ts'
import { clouds } from '../../../support/training-rows.ts'

const ROWS = 500

const compare = async ({ artefact, scorer }: FittedArtefact, rows: Float64Array): Promise<number> => {
  const columns = scorer.featureNames.length
  const out = new Float64Array((rows.length / columns) * scorer.outputs)
  scorer.scoreBlock(rows, rows.length / columns, out)
  const outputs = await runOnnx(exportOnnx(artefact.manifest, artefact.binary), rows, columns)
  const scores = outputs[scorer.kind === 'regression' ? 'value' : 'probabilities']!
  return greatestError(Array.from(scores, Number), [...out])
}

const five = clouds({ rowsPerClass: 30, classes: 5, columns: 3, distance: 1.2, seed: 4 })
const two = clouds({ rowsPerClass: 60, classes: 2, columns: 4, distance: 1, seed: 5 })
const mixed = mixedRows(150, 3, 6)

describe.each([
  ['five classes', five],
  ['two classes', two],
  ['categories and missing values', mixed],
])('the scores of %s agree with ONNX Runtime', (_, dataset) => {
  it.each(classifiers)('$name', async (candidate) => {
    const fitted = fittedArtefact(candidate, dataset)
    expect(await compare(fitted, hostileRows(dataset, ROWS, 1))).toBeLessThan(1e-6)
  })

  it.each([
    { method: 'platt', candidate: classifiers[0]! },
    { method: 'isotonic', candidate: classifiers[0]! },
    { method: 'platt', candidate: classifiers[6]! },
    { method: 'isotonic', candidate: classifiers[6]! },
    { method: 'platt', candidate: classifiers[2]! },
    { method: 'isotonic', candidate: classifiers[2]! },
    { method: 'isotonic', candidate: classifiers[3]! },
  ] as const)('$method calibration of $candidate.name', async ({ method, candidate }) => {
    const fitted = fittedArtefact(candidate, dataset, method)
    expect(await compare(fitted, hostileRows(dataset, ROWS, 2))).toBeLessThan(1e-6)
  })
})

describe('support vector machines of ten classes, 45 pairs, agree with ONNX Runtime', { timeout: 60_000 }, () => {
  const { features, labels, columns } = exampleRows('digits/digits.csv')
  const every = 6
  const rows = Math.ceil(labels.length / every)
  const digits: Dataset = {
    kind: 'classification',
    featureNames: Array.from({ length: columns }, (_, column) => `pixel_${column}`),
    categories: Array.from({ length: columns }, () => []),
    rows,
    features: Float64Array.from(
      { length: rows * columns },
      (_, at) => features[Math.floor(at / columns) * every * columns + (at % columns)]!,
    ),
    classNames: Array.from({ length: 10 }, (_, digit) => `${digit}`),
    labels: Int32Array.from({ length: rows }, (_, row) => labels[row * every]!),
  }

  it.each([
    { method: 'none', candidate: classifiers[2]! },
    { method: 'platt', candidate: classifiers[2]! },
    { method: 'isotonic', candidate: classifiers[2]! },
    { method: 'none', candidate: classifiers[3]! },
    { method: 'isotonic', candidate: classifiers[3]! },
  ] as const)('$candidate.name, calibration $method', async ({ method, candidate }) => {
    const fitted = fittedArtefact(candidate, digits, method)
    expect(await compare(fitted, features)).toBeLessThan(1e-6)
    expect(await compare(fitted, hostileRows(digits, ROWS, 2))).toBeLessThan(1e-6)
  })
})

it.each(regressors)('the values of $name agree with ONNX Runtime', async (candidate) => {
  const dataset = mixedRows(150, 0, 7)
  expect(await compare(fittedArtefact(candidate, dataset), hostileRows(dataset, ROWS, 3))).toBeLessThan(1e-6)
})

describe('a forest as it may come from elsewhere agrees with ONNX Runtime', () => {
  const thresholds = [-1, -0.5, 0, 0.25, 0.5, 1, 1e-310, 1e300]
  const values = [...thresholds, 0.1, -0.6, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const rows = Float64Array.from({ length: 4000 }, (_, at) => {
    const random = createRandom(at, 'values')
    return at % 4 === 1
      ? [0, 1, 2, 3, 255, 256, 0.5, Number.NaN][random.below(8)]!
      : values[random.below(values.length)]!
  })
  const names = { featureNames: ['a', 'b', 'c', 'd'], categories: [[], ['x', 'y', 'z'], [], []] }
  const classes: Dataset = {
    ...{ kind: 'classification', ...names, rows: 3, features: new Float64Array(12) },
    ...{ classNames: ['no', 'maybe', 'yes'], labels: Int32Array.of(0, 1, 2) },
  }
  const numbers: Dataset = {
    kind: 'regression',
    ...names,
    rows: 3,
    features: new Float64Array(12),
    targets: Float64Array.of(1, 2, 3),
  }

  it.each([
    ['the mean of shares', classes, { rule: 'mean' }],
    ['shares of a sum', classes, { rule: 'sum', base: [0.5, 0, 0], transform: 'none' }],
    ['softmax', classes, { rule: 'sum', base: [0.5, -1, 0], transform: 'softmax' }],
    ['logistic', classes, { rule: 'sum', base: [0.5, -1, 0], transform: 'logistic' }],
    ['the mean of values', numbers, { rule: 'mean' }],
    ['a sum of values', numbers, { rule: 'sum', base: [1e6], transform: 'none' }],
    ['the logistic function of a sum', numbers, { rule: 'sum', base: [-5], transform: 'logistic' }],
  ] as const)('%s', async (_, dataset, combine) => {
    const outputs = dataset.kind === 'classification' ? 3 : 1
    const forest = sampleForest({
      seed: 11,
      trees: 20,
      maxDepth: 7,
      categories: [0, 3, 0, 0],
      outputs,
      combine,
      thresholds,
    })
    const fitted = artefactOf({
      dataset,
      family: 'forest',
      engine: 'onnx',
      arrays: packForest(forest),
      standardiser: null,
    })
    expect(await compare(fitted, rows)).toBeLessThan(1e-12)
  })
})

it('names the predicted class, the features and the source of the file', async () => {
  const { artefact, scorer } = fittedArtefact(classifiers[6]!, five)
  const bytes = exportOnnx(artefact.manifest, artefact.binary, '12')
  const rows = hostileRows(five, 50, 9)
  const outputs = await runOnnx(bytes, rows, 3)
  const out = new Float64Array(50 * 5)
  scorer.scoreBlock(rows, 50, out)
  expect(Array.from(outputs['label']!)).toEqual(
    Array.from({ length: 50 }, (_, row) => scorer.classNames[bestClass(out, row * 5, 5)]),
  )
  const { metadata } = decodeModel(bytes)
  expect(metadata.get('version')).toBe('12')
  expect(metadata.get('sha256')).toBe(artefact.manifest.binary.sha256)
  expect(JSON.parse(metadata.get('features')!)).toEqual(five.featureNames)
  expect(JSON.parse(metadata.get('classes')!)).toEqual(five.classNames)
})

it("refuses a binary that is not the manifest's", () => {
  const { artefact } = fittedArtefact(classifiers[6]!, two)
  const binary = artefact.binary.slice()
  binary[3] = binary[3]! ^ 1
  expect(() => exportOnnx(artefact.manifest, binary)).toThrow(ArtefactCorrupt)
})
