import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../../src/features/random.ts'
import { encodeModel } from '../../../../src/models/onnx/encode-model.ts'
import { importOnnx } from '../../../../src/models/onnx/import-onnx.ts'
import { exampleRows, greatestError, lastScores, onnxFixture, runOnnx, scoreImported } from '../../../support/onnx.ts'
import { sampleEnsemble } from '../../../support/sample-ensemble.ts'

const IRIS = 'iris/iris.csv'
const BREAST = 'breast-cancer/breast_cancer.csv'
const DIABETES = 'diabetes/diabetes.csv'
const species = ['setosa', 'versicolor', 'virginica']
const diagnoses = ['benign', 'malignant']
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

describe('a forest of scikit-learn scores as ONNX Runtime does', () => {
  it.each([
    ['forest-iris', IRIS, species],
    ['forest-iris-double', IRIS, ['0', '1', '2']],
    ['forest-iris-plain', IRIS, species],
    ['forest-iris-columns', IRIS, species],
    ['boosting-iris', IRIS, species],
    ['tree-breast', BREAST, diagnoses],
    ['forest-breast', BREAST, ['0', '1']],
    ['boosting-breast', BREAST, diagnoses],
    ['extra-trees-digits', 'digits/digits.csv', digits],
    ['forest-diabetes', DIABETES, null],
    ['extra-trees-diabetes', DIABETES, null],
    ['tree-diabetes', DIABETES, null],
    ['boosting-diabetes', DIABETES, null],
    ['ensemble-5', IRIS, null],
  ])('%s', async (name, example, classNames) => {
    const bytes = onnxFixture(name)
    const { features, columns } = exampleRows(example)
    const imported = importOnnx(bytes)
    expect(imported.featureCount).toBe(columns)
    expect(imported.classNames).toEqual(classNames)
    expect(imported.kind).toBe(classNames === null ? 'regression' : 'classification')
    const expected = lastScores(await runOnnx(bytes, features, columns))
    expect(greatestError(scoreImported(imported, features), expected)).toBeLessThan(1e-6)
  })
})

describe('a random ensemble scores as ONNX Runtime does', { timeout: 60_000 }, () => {
  const floats = [-1.5, -0.1, 0, 2 ** -149, 0.1, 1 / 3, 1, 16_777_216, 3.4e38].map(Math.fround)
  const doubles = [-1.5, -0.1, 0, 5e-324, 0.1, 1 / 3, 1, 1e300]
  /** Around every threshold: itself, the doubles beside it, those halfway to the next floats, and beside these. */
  const near = (threshold: number): number[] => {
    const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(threshold), 2 ** -126))) - 23)
    const halves = [threshold, threshold + ulp / 2, threshold - ulp / 2, threshold + ulp, threshold - ulp]
    return halves.flatMap((value) => [value, value * (1 + 2e-16), value * (1 - 2e-16)])
  }
  const sample = { trees: 12, maxDepth: 6, columns: 3, modes: ['BRANCH_LEQ'], tracksMissing: true, isDouble: false }
  const all = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ']

  it.each([
    ['shares', { ...sample, target: { kind: 'shares', classes: 4 } }],
    ['shares without a missing direction', { ...sample, tracksMissing: false, target: { kind: 'shares', classes: 2 } }],
    ['shares, every mode', { ...sample, modes: all, target: { kind: 'shares', classes: 3 } }],
    ['one column of shares', { ...sample, target: { kind: 'share column', classes: 2 } }],
    ['softmax', { ...sample, modes: all.slice(0, 4), target: { kind: 'softmax', classes: 3 } }],
    ['softmax of two classes', { ...sample, target: { kind: 'softmax', classes: 2 } }],
    ['one logistic column', { ...sample, target: { kind: 'logistic column', classes: 2 } }],
    ['a sum of values', { ...sample, modes: all, target: { kind: 'regression', aggregate: 'SUM', base: 2.5 } }],
    ['the mean of values', { ...sample, target: { kind: 'regression', aggregate: 'AVERAGE' } }],
    ['the mean of values and a base', { ...sample, target: { kind: 'regression', aggregate: 'AVERAGE', base: 4 } }],
    ['shares in float64', { ...sample, modes: all, isDouble: true, target: { kind: 'shares', classes: 3 } }],
    ['values in float64', { ...sample, modes: all, isDouble: true, target: { kind: 'regression', aggregate: 'SUM' } }],
  ] as const)('%s', async (_, options) => {
    const thresholds = options.isDouble ? doubles : floats
    const values = [...thresholds.flatMap(near), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let seed = 1; seed <= 3; seed++) {
      const random = createRandom(seed, 'rows')
      const rows = Float64Array.from({ length: 3 * 1000 }, () => values[random.below(values.length)]!)
      const bytes = encodeModel(sampleEnsemble({ ...options, thresholds, seed }))
      const expected = lastScores(await runOnnx(bytes, rows, 3))
      expect(greatestError(scoreImported(importOnnx(bytes), rows), expected)).toBeLessThan(1e-6)
    }
  })
})

describe('a forest is fitted to a task', () => {
  const task = {
    features: ['petal_width', 'sepal_length', 'unused', 'sepal_width', 'petal_length'].map((name) => ({
      name,
      isCategory: false,
    })),
  }
  const { features: rows } = exampleRows(IRIS)
  const order = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width']
  const taskRows = Float64Array.from({ length: 150 * 5 }, (_, at) => {
    const column = order.indexOf(task.features[at % 5]!.name)
    return column < 0 ? 0 : rows[Math.floor(at / 5) * 4 + column]!
  })

  it.each([
    ['by the names of its inputs', 'forest-iris-columns', {}],
    ['by names that are given', 'forest-iris-plain', { columnOrder: order }],
  ])('%s', (_, name, columnOrder) => {
    const plain = importOnnx(onnxFixture(name))
    const fitted = importOnnx(onnxFixture(name), { task: { ...task, ...columnOrder } })
    expect(fitted.featureCount).toBe(5)
    expect(scoreImported(fitted, taskRows)).toEqual(scoreImported(plain, rows))
  })

  it('with its classes in another order', () => {
    const plain = importOnnx(onnxFixture('boosting-iris'))
    const fitted = importOnnx(onnxFixture('boosting-iris'), { classNames: ['virginica', 'setosa', 'versicolor'] })
    expect(fitted.classNames).toEqual(['virginica', 'setosa', 'versicolor'])
    const moved = scoreImported(fitted, rows)
    const expected = scoreImported(plain, rows).map((_, at, all) => all[at - (at % 3) + [2, 0, 1][at % 3]!]!)
    expect(greatestError(moved, expected)).toBeLessThan(1e-15)
  })

  it('with numbers for its classes, and says so', () => {
    const { classNames, warnings } = importOnnx(onnxFixture('forest-iris-double'), { classNames: species })
    expect(classNames).toEqual(species)
    expect(warnings).toEqual([expect.stringContaining('setosa, versicolor, virginica')])
  })

  it('with categories: equality becomes a set', () => {
    const model = sampleEnsemble({
      ...{ seed: 1, trees: 3, maxDepth: 4, columns: 2, modes: ['BRANCH_EQ'], tracksMissing: true, isDouble: false },
      ...{ thresholds: [0, 1, 2, 3], target: { kind: 'shares', classes: 2 } },
    })
    const bytes = encodeModel(model)
    const features = ['a', 'b'].map((name) => ({ name, isCategory: true }))
    const asNumbers = importOnnx(bytes)
    const asCodes = importOnnx(bytes, { task: { features } })
    expect(asCodes.forest.categoryWords.length).toBeGreaterThan(0)
    expect(asCodes.forest.feature.length).toBeLessThan(asNumbers.forest.feature.length)
    const codes = Float64Array.from(
      { length: 2 * 36 },
      (_, at) => [0, 1, 2, 3, 4, Number.NaN][(at % 2 ? at >> 1 : Math.floor(at / 12)) % 6]!,
    )
    expect(scoreImported(asCodes, codes)).toEqual(scoreImported(asNumbers, codes))
  })
})
