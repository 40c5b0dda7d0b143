import { readFileSync } from 'node:fs'
import type { ClassDataset } from '../../src/features/dataset.ts'
import { readCsvDataset } from '../../src/features/dataset-csv.ts'
import type { FeatureSpec } from '../../src/features/feature-spec.ts'
import { createRandom, type Random } from '../../src/features/random.ts'
import type { Candidate } from '../../src/models/candidate.ts'

export const featureSpecs = (names: readonly string[]): FeatureSpec[] =>
  names.map((name) => ({ name, type: 'double', nullable: false }))

export const irisSpecs = featureSpecs(['sepal_length', 'sepal_width', 'petal_length', 'petal_width'])
export const irisClasses = ['setosa', 'versicolor', 'virginica']

export const iris = (): ClassDataset =>
  readCsvDataset(readFileSync(new URL('../../examples/iris/iris.csv', import.meta.url), 'utf8'), {
    label: 'iris.csv',
    features: irisSpecs,
    target: { name: 'species', type: 'classification', classes: irisClasses },
  }) as ClassDataset

/** Box and Muller's transform. */
export const gaussian = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())

/** Rows of normal clouds, one per class, a distance apart along every feature. */
export const clouds = (options: {
  rowsPerClass: number
  classes: number
  columns: number
  distance: number
  seed: number
}): ClassDataset => {
  const { rowsPerClass, classes, columns, distance } = options
  const random = createRandom(options.seed, 'clouds')
  const rows = rowsPerClass * classes
  const labels = Int32Array.from({ length: rows }, (_, row) => row % classes)
  const features = Float64Array.from(
    { length: rows * columns },
    (_, i) => gaussian(random) + distance * labels[Math.floor(i / columns)]!,
  )
  return {
    kind: 'classification',
    featureNames: Array.from({ length: columns }, (_, i) => `f${i}`),
    categories: Array.from({ length: columns }, () => []),
    classNames: Array.from({ length: classes }, (_, i) => `c${i}`),
    rows,
    features,
    labels,
  }
}

/** One candidate of each engine and kernel, small enough for tests. */
export const candidates = {
  logistic: {
    name: 'logistic',
    family: 'logistic',
    engine: 'ml-logistic-regression',
    calibration: 'none',
    parameters: { steps: 300, learningRate: 1.9 },
  },
  forest: {
    name: 'forest',
    family: 'forest',
    engine: 'ml-random-forest',
    calibration: 'none',
    parameters: { trees: 15, maxDepth: 6, minSamplesSplit: 2, maxFeatures: 0.6 },
  },
  rbf: {
    name: 'rbf',
    family: 'svm',
    engine: 'ml-svm',
    calibration: 'none',
    parameters: { kernel: 'rbf', C: 10, sigma: 2 },
  },
  linear: {
    name: 'linear',
    family: 'svm',
    engine: 'ml-svm',
    calibration: 'none',
    parameters: { kernel: 'linear', C: 1, sigma: 1 },
  },
} as const satisfies Record<string, Candidate>
