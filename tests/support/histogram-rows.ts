import { readFileSync } from 'node:fs'
import type { HistogramForestParameters } from '../../src/models/candidate.ts'
import type { TrainingRows, TrainingTarget } from '../../src/models/estimator.ts'
import { findLeaf } from '../../src/models/forest/find-leaf.ts'
import type { FlatForest } from '../../src/models/forest/flat-forest.ts'

/** Those of scikit-learn's default forest, but 10 deep. */
export const forestParameters = (changes: Partial<HistogramForestParameters> = {}): HistogramForestParameters => ({
  trees: 100,
  maxDepth: 10,
  minSamplesSplit: 2,
  minSamplesLeaf: 1,
  maxFeatures: 'auto',
  criterion: 'auto',
  bootstrap: true,
  classWeight: 'none',
  maxBins: 256,
  ...changes,
})

/** One tree that sees all rows and all features: what it does is decided by the rows alone. */
export const oneTree = (changes: Partial<HistogramForestParameters> = {}): HistogramForestParameters =>
  forestParameters({ trees: 1, bootstrap: false, maxFeatures: 'all', ...changes })

/** @param categories categories of each column, 0 for a number */
export const rawRows = (
  rows: readonly (readonly number[])[],
  target: TrainingTarget,
  categories: readonly number[] = rows[0]!.map(() => 0),
): TrainingRows => ({
  features: Float64Array.from(rows.flat()),
  rows: rows.length,
  columns: categories.length,
  categories: Int32Array.from(categories),
  target,
})

export const classTarget = (labels: readonly number[], classes = Math.max(...labels) + 1): TrainingTarget => ({
  kind: 'classification',
  labels: Int32Array.from(labels),
  classes,
})

export const numberTarget = (values: readonly number[]): TrainingTarget => ({
  kind: 'regression',
  values: Float64Array.from(values),
})

const files = {
  iris: 'iris/iris.csv',
  breast_cancer: 'breast-cancer/breast_cancer.csv',
  digits: 'digits/digits.csv',
  diabetes: 'diabetes/diabetes.csv',
}

export type ExampleName = keyof typeof files
export const exampleNames = Object.keys(files) as ExampleName[]

/** The rows of an example as they are in its file; classes in alphabetical order. */
export const rawExample = (name: ExampleName): TrainingRows => {
  const text = readFileSync(new URL(`../../examples/${files[name]}`, import.meta.url), 'utf8')
  const rows = text.trim().split(/\r?\n/).slice(1)
  const cells = rows.map((row) => row.split(','))
  const last = cells.map((row) => row.at(-1)!)
  const classes = [...new Set(last)].sort()
  const target =
    name === 'diabetes' ? numberTarget(last.map(Number)) : classTarget(last.map((of) => classes.indexOf(of)))
  return rawRows(
    cells.map((row) => row.slice(0, -1).map(Number)),
    target,
  )
}

export const takeTrainingRows = (rows: TrainingRows, indices: readonly number[]): TrainingRows => {
  const { features, columns, target } = rows
  return {
    ...rows,
    rows: indices.length,
    features: Float64Array.from(indices.flatMap((row) => [...features.subarray(row * columns, (row + 1) * columns)])),
    target:
      target.kind === 'classification'
        ? { ...target, labels: Int32Array.from(indices, (row) => target.labels[row]!) }
        : { ...target, values: Float64Array.from(indices, (row) => target.values[row]!) },
  }
}

/** The mean of the leaves that a row falls into. */
export const forestOutputs = (forest: FlatForest, features: Float64Array, at: number): number[] => {
  const { outputs, roots, left, leaves } = forest
  const sums = new Array<number>(outputs).fill(0)
  for (const root of roots) {
    const leaf = left[findLeaf(forest, root, features, at)]! * outputs
    for (let c = 0; c < outputs; c++) sums[c]! += leaves[leaf + c]!
  }
  return sums.map((sum) => sum / roots.length)
}

/** Accuracy of classes, R2 of numbers. */
export const forestScore = (forest: FlatForest, rows: TrainingRows): number => {
  const { target } = rows
  const outputs = Array.from({ length: rows.rows }, (_, row) =>
    forestOutputs(forest, rows.features, row * rows.columns),
  )
  if (target.kind === 'classification') {
    return (
      outputs.filter((shares, row) => shares.indexOf(Math.max(...shares)) === target.labels[row]).length / rows.rows
    )
  }
  const { values } = target
  const mean = values.reduce((sum, value) => sum + value, 0) / rows.rows
  const error = outputs.reduce((sum, [value], row) => sum + (value! - values[row]!) ** 2, 0)
  return 1 - error / values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
}
