import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  type ClassDataset,
  type Dataset,
  joinRows,
  type NumberDataset,
  takeRows,
} from '../../../../src/features/dataset.ts'
import { readCsvDataset } from '../../../../src/features/dataset-csv.ts'
import type { FeatureSpec } from '../../../../src/features/feature-spec.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { scoreFeaturesAlone } from '../../../../src/features/validate/check-leakage.ts'
import { refuseErrors, validateDataset } from '../../../../src/features/validate/validate-dataset.ts'
import { TrainingDataRefused } from '../../../../src/features/validate/validation-report.ts'
import { featureSpecs } from '../../../support/training-rows.ts'

const options = { folds: 5, testFraction: 0.2 }

const example = (path: string, target: string, kind: 'classification' | 'regression'): Dataset => {
  const csv = readFileSync(new URL(`../../../../examples/${path}`, import.meta.url), 'utf8')
  const names = csv.slice(0, csv.indexOf('\n')).trim().split(',')
  const lines = csv.trim().split('\n').slice(1)
  const classes = [...new Set(lines.map((line) => line.trim().split(',').at(-1)!))].sort()
  return readCsvDataset(csv, {
    label: path,
    features: featureSpecs(names.filter((name) => name !== target)),
    target: kind === 'regression' ? { name: target, type: kind } : { name: target, type: kind, classes },
  })
}
const iris = () => example('iris/iris.csv', 'species', 'classification') as ClassDataset
const diabetes = () => example('diabetes/diabetes.csv', 'progression', 'regression') as NumberDataset

const validate = (dataset: Dataset, changes: Partial<Parameters<typeof validateDataset>[1]> = {}) =>
  validateDataset(dataset, { ...options, features: featureSpecs(dataset.featureNames), ...changes })
const codesOf = (dataset: Dataset, changes: Parameters<typeof validate>[1] = {}) =>
  validate(dataset, changes).issues.map(({ severity, code, feature }) => [severity, code, feature])

/** The rows with one more feature. */
const withFeature = <D extends Dataset>(dataset: D, name: string, valueAt: (row: number) => number): D => {
  const width = dataset.featureNames.length
  const features = new Float64Array(dataset.rows * (width + 1))
  for (let row = 0; row < dataset.rows; row++) {
    features.set(dataset.features.subarray(row * width, (row + 1) * width), row * (width + 1))
    features[row * (width + 1) + width] = valueAt(row)
  }
  return {
    ...dataset,
    featureNames: [...dataset.featureNames, name],
    categories: [...dataset.categories, []],
    features,
  }
}

/** The rows with some values of the first feature replaced. */
const withValues = <D extends Dataset>(dataset: D, valueAt: (row: number) => number | undefined): D => {
  const features = dataset.features.slice()
  for (let row = 0; row < dataset.rows; row++) {
    features[row * dataset.featureNames.length] = valueAt(row) ?? features[row * dataset.featureNames.length]!
  }
  return { ...dataset, features }
}

describe('the bundled data', () => {
  test.each([
    ['iris/iris.csv', 'species', 'classification'],
    ['breast-cancer/breast_cancer.csv', 'diagnosis', 'classification'],
    ['digits/digits.csv', 'digit', 'classification'],
    ['diabetes/diabetes.csv', 'progression', 'regression'],
  ] as const)('%s can be trained on, and no feature of it is called a leak', (path, target, kind) => {
    const report = validate(example(path, target, kind))
    expect(report.issues.filter(({ code, severity }) => severity === 'error' || code === 'LABEL_LEAKAGE')).toEqual([])
  })

  test('two kinds of iris that two features tell apart are an easy task, not an error', () => {
    const all = iris()
    const two = takeRows(
      all,
      Int32Array.from({ length: 100 }, (_, row) => row),
    )
    const report = validate({ ...two, classNames: all.classNames.slice(0, 2) })
    expect(report.issues.map(({ severity, code, feature }) => [severity, code, feature])).toEqual([
      ['warning', 'LABEL_LEAKAGE', 'petal_length'],
      ['warning', 'LABEL_LEAKAGE', 'petal_width'],
    ])
  })
})

describe('a leak is found', () => {
  test('where a feature is the class in other words', () => {
    const rows = iris()
    const code = [30, 10, 20]
    expect(codesOf(withFeature(rows, 'code', (row) => code[rows.labels[row]!]!))).toEqual([
      ['error', 'LABEL_LEAKAGE', 'code'],
    ])
  })

  test('where the rows are numbered in the order of the classes', () => {
    expect(codesOf(withFeature(iris(), 'id', (row) => row))).toEqual([['error', 'LABEL_LEAKAGE', 'id']])
  })

  test('but not where a number of each row says nothing', () => {
    const random = createRandom(5)
    expect(codesOf(withFeature(iris(), 'id', () => random.next()))).toEqual([])
  })

  test('where a feature is the number in another unit', () => {
    const rows = diabetes()
    expect(codesOf(withFeature(rows, 'pounds', (row) => -2.2 * rows.targets[row]! + 7))).toEqual([
      ['error', 'LABEL_LEAKAGE', 'pounds'],
    ])
    expect(Math.max(...scoreFeaturesAlone(rows))).toBeLessThan(0.5)
  })

  test('and may be accepted', () => {
    const rows = withFeature(iris(), 'id', (row) => row)
    expect(codesOf(rows, { accept: ['LABEL_LEAKAGE'] })).toEqual([['warning', 'LABEL_LEAKAGE', 'id']])
  })
})

describe('columns', () => {
  test('what may not be missing, and what is missing mostly', () => {
    const rows = withValues(iris(), (row) => (row % 3 === 0 ? undefined : Number.NaN))
    expect(codesOf(rows)).toEqual([['error', 'VALUE_MISSING', 'sepal_length']])
    const nullable = featureSpecs(rows.featureNames).map((spec): FeatureSpec => ({ ...spec, nullable: true }))
    expect(codesOf(rows, { features: nullable })).toEqual([['warning', 'OFTEN_MISSING', 'sepal_length']])
  })

  test('what is outside its range or infinite', () => {
    const features = featureSpecs(iris().featureNames).map(
      (spec): FeatureSpec => ({ ...spec, type: 'double', range: [0, 8] }),
    )
    const rows = withValues(iris(), (row) => ({ 3: 9, 5: Number.POSITIVE_INFINITY })[row] ?? 5)
    expect(codesOf(rows, { features })).toEqual([
      ['error', 'VALUE_NOT_FINITE', 'sepal_length'],
      ['error', 'VALUE_OUT_OF_RANGE', 'sepal_length'],
    ])
  })

  test('what is the same everywhere, and what is far from all else', () => {
    expect(codesOf(withValues(iris(), () => 5))).toEqual([['warning', 'CONSTANT_FEATURE', 'sepal_length']])
    const report = validate(withValues(iris(), (row) => (row === 7 ? 5000 : undefined)))
    expect(report.issues).toMatchObject([
      { code: 'OUTLIERS', message: expect.stringContaining('1 rows (as far as 5000)') },
    ])
  })

  test('categories that the task does not know, and another schema', () => {
    const colours: FeatureSpec = { name: 'colour', type: 'category', categories: ['red', 'blue'], nullable: false }
    const rows = withFeature(iris(), 'colour', (row) => row % 3)
    const known = { ...rows, categories: [[], [], [], [], ['red', 'blue']] }
    const features = [...featureSpecs(iris().featureNames), colours]
    expect(codesOf(known, { features })).toEqual([['warning', 'CATEGORY_UNKNOWN', 'colour']])
    expect(codesOf(rows, { features })).toEqual([['error', 'SCHEMA_MISMATCH', 'colour']])
    expect(codesOf(rows, { features: features.slice(1) })).toEqual([['error', 'SCHEMA_MISMATCH', null]])
  })
})

describe('rows and target', () => {
  test('repeated and contradicting rows', () => {
    const rows = iris()
    expect(codesOf(joinRows(rows, takeRows(rows, Int32Array.of(1, 2, 3, 4, 5, 60, 61, 62, 63, 64))))).toEqual([
      ['warning', 'DUPLICATE_ROWS', null],
    ])
    const other = takeRows(rows, Int32Array.of(1, 2, 3))
    expect(codesOf(joinRows(rows, { ...other, labels: Int32Array.of(2, 2, 2) }))).toEqual([
      ['warning', 'CONTRADICTING_ROWS', null],
    ])
  })

  test('classes without enough rows', () => {
    const rows = iris()
    const kept = (of: number, count: number) =>
      takeRows(
        rows,
        Int32Array.from({ length: 150 }, (_, row) => row).filter((row) => rows.labels[row] !== of || row % 50 < count),
      )
    expect(codesOf(kept(1, 2))).toContainEqual(['error', 'CLASS_TOO_SMALL', null])
    expect(codesOf(kept(1, 2), { testFraction: 0 })).not.toContainEqual(['error', 'CLASS_TOO_SMALL', null])
    expect(codesOf(kept(1, 5))).toContainEqual(['warning', 'CLASS_SMALL', null])
    expect(codesOf(kept(1, 3))).not.toContainEqual(['error', 'CLASS_TOO_SMALL', null])
  })

  test('one class twenty times as large', () => {
    const all = diabetes()
    const labels = Int32Array.from({ length: all.rows }, (_, row) => (row % 30 === 0 ? 1 : 0))
    const { targets: _, ...rest } = all
    const rows: Dataset = { ...rest, kind: 'classification', classNames: ['no', 'yes'], labels }
    expect(codesOf(rows)).toEqual([['warning', 'CLASS_IMBALANCE', null]])
  })

  test('targets that say nothing', () => {
    const rows = diabetes()
    expect(codesOf({ ...rows, targets: rows.targets.map(() => 3) })).toContainEqual(['error', 'TARGET_CONSTANT', null])
    expect(
      codesOf({ ...rows, targets: rows.targets.map((value, row) => (row === 9 ? Number.NaN : value)) }),
    ).toContainEqual(['error', 'VALUE_NOT_FINITE', null])
  })

  test('few rows', () => {
    const few = (count: number) =>
      takeRows(
        diabetes(),
        Int32Array.from({ length: count }, (_, row) => row),
      )
    expect(codesOf(few(30))).toEqual([['warning', 'FEW_ROWS', null]])
    expect(codesOf(few(4))).toContainEqual(['error', 'TOO_FEW_ROWS', null])
  })
})

test('a refusal lists every error with its remedy', () => {
  const rows = withFeature(
    withValues(iris(), (row) => (row === 0 ? Number.NaN : undefined)),
    'id',
    (row) => row,
  )
  const report = validate(rows)
  expect(() => refuseErrors(report)).toThrow(TrainingDataRefused)
  expect(() => refuseErrors(report)).toThrow(/VALUE_MISSING: .*; fill the values in.* \| LABEL_LEAKAGE: id alone/)
  expect(refuseErrors(validate(iris())).issues).toEqual([])
})
