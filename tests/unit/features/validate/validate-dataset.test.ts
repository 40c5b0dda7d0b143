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

  test('but not where there are nearly as many classes as rows', () => {
    const { targets: _, ...rest } = diabetes()
    const classNames = Array.from({ length: 440 }, (_name, index) => `person ${index}`)
    const labels = Int32Array.from({ length: rest.rows }, (_label, row) => row % 440)
    const codes = codesOf({ ...rest, kind: 'classification', classNames, labels }).map(([, code]) => code)
    expect(codes).not.toContain('LABEL_LEAKAGE')
  })

  describe('where nearly all rows are of one class', () => {
    // 12 of 442 rows.
    const rare = (): Dataset => {
      const { targets: _, ...rest } = diabetes()
      const labels = Int32Array.from({ length: rest.rows }, (_row, row) => (row % 40 === 3 && row < 480 ? 1 : 0))
      return { ...rest, kind: 'classification', classNames: ['common', 'rare'], labels }
    }
    const seldom = (): ClassDataset => {
      const rows = rare() as ClassDataset
      const labels = rows.labels.map((label, row) => (label === 1 && row < 160 ? 1 : 0))
      return { ...rows, labels }
    }

    test('a feature that always says that class is no leak', () => {
      expect(codesOf(seldom()).map(([, code]) => code)).toEqual(['CLASS_SMALL', 'CLASS_IMBALANCE'])
    })

    test.each([0, 1, 2, 3])('nor one that has nothing to learn from %i rows of others', (count) => {
      const rows = rare() as ClassDataset
      const labels = rows.labels.map((_label, row) => (row < count ? row + 1 : 0))
      const classNames = ['common', ...['a', 'b', 'c'].slice(0, Math.max(1, count))]
      expect(codesOf({ ...rows, classNames, labels }).map(([, code]) => code)).not.toContain('LABEL_LEAKAGE')
    })

    test('one that knows the others is', () => {
      const rows = rare() as ClassDataset
      expect(codesOf(withFeature(rows, 'known', (row) => rows.labels[row]! * 3 + (row % 3)))).toEqual([
        ['error', 'LABEL_LEAKAGE', 'known'],
        ['warning', 'CLASS_IMBALANCE', null],
      ])
    })
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

describe('what a column means', () => {
  /** The rows with one more category. */
  const withNames = (names: readonly string[], nameAt: (row: number) => number) => {
    const rows = withFeature(diabetes(), 'name', nameAt)
    const spec: FeatureSpec = { name: 'name', type: 'category', categories: names, nullable: true }
    return codesOf(
      { ...rows, categories: [...rows.categories.slice(0, -1), names] },
      { features: [...featureSpecs(diabetes().featureNames), spec] },
    )
  }
  const texts = (count: number, textAt: (code: number) => string) =>
    Array.from({ length: count }, (_, code) => textAt(code))

  test('a number of each row, and a text that most rows have alone', () => {
    expect(codesOf(withFeature(diabetes(), 'id', (row) => row + 1000))).toEqual([['warning', 'ROW_IDENTIFIER', 'id']])
    expect(codesOf(withFeature(diabetes(), 'hour', (row) => row % 24))).toEqual([])
    expect(
      withNames(
        texts(240, (code) => `person ${code}`),
        (row) => row % 240,
      ),
    ).toEqual([['warning', 'ROW_IDENTIFIER', 'name']])
    expect(
      withNames(
        texts(200, (code) => `town ${code}`),
        (row) => row % 200,
      ),
    ).toEqual([])
    // Where it is known of few rows, too.
    expect(
      withNames(
        texts(30, (code) => `person ${code}`),
        (row) => (row < 30 ? row : Number.NaN),
      ),
    ).toEqual([
      ['warning', 'OFTEN_MISSING', 'name'],
      ['warning', 'ROW_IDENTIFIER', 'name'],
    ])
  })

  test('numbers with some other text among them, but not kinds of things that are called by numbers', () => {
    const names = texts(50, (code) => (code === 0 ? '?' : String(code)))
    expect(withNames(names, (row) => row % 50)).toEqual([['warning', 'NUMBERS_AS_TEXT', 'name']])
    expect(withNames(texts(50, String), (row) => row % 50)).toEqual([])
    expect(withNames(['1', '2', '3 and more'], (row) => row % 3)).toEqual([])
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
  expect(() => refuseErrors(report)).toThrow(/--accept LABEL_LEAKAGE\)$/)
  expect(() => refuseErrors(report)).toThrow(/VALUE_MISSING: .*; fill the values in.* \| LABEL_LEAKAGE: id alone/)
  expect(refuseErrors(validate(iris())).issues).toEqual([])
})

test('classes without end are not listed one by one', () => {
  const rows = 150_000
  const classNames = Array.from({ length: rows }, (_row, row) => `person ${row}`)
  const report = validate({
    ...{ kind: 'classification', rows, classNames, labels: Int32Array.from(classNames, (_name, row) => row) },
    ...{ featureNames: ['x'], categories: [[]], features: Float64Array.from(classNames, (_name, row) => row % 97) },
  })
  const tooSmall = report.issues.filter(({ code }) => code === 'CLASS_TOO_SMALL')
  expect(tooSmall).toHaveLength(6)
  expect(tooSmall[5]!.message).toBe('149995 more classes have as few rows')
})

test('a refusal for very many errors lists some of them', () => {
  const names = Array.from({ length: 40 }, (_, column) => `f${column}`)
  const features = Float64Array.from({ length: 40 * 60 }, (_, at) => (at < 40 ? Number.NaN : (at * 7919) % 101))
  const labels = Int32Array.from({ length: 60 }, (_, row) => row % 2)
  const report = validate({
    ...{ kind: 'classification', rows: 60, classNames: ['a', 'b'], labels },
    ...{ featureNames: names, categories: names.map(() => []), features },
  })
  expect(report.issues.filter(({ code }) => code === 'VALUE_MISSING')).toHaveLength(40)
  const refused = new TrainingDataRefused(report)
  expect(refused.message).toMatch(/f4 is missing .* \| and 35 more: see "driftline data check"$/)
})
