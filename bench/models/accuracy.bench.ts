import { readFileSync } from 'node:fs'
import { type Dataset, takeRows } from '../../src/features/dataset.ts'
import { readCsvDataset } from '../../src/features/dataset-csv.ts'
import { createRandom, shuffle } from '../../src/features/random.ts'
import { rowsOutside, stratifiedFolds, stratifiedSplit } from '../../src/features/stratified.ts'
import type { Candidate } from '../../src/models/candidate.ts'
import { evaluate } from '../../src/models/evaluate.ts'
import { fitCandidate } from '../../src/models/fit-candidate.ts'
import type { BenchLine, ModelBench } from './model-bench.ts'

/*
 * Accuracy of classes and R2 of numbers on held-out rows, the same splits for both. Neither side is tuned: scikit-learn
 * has its defaults over standardised features (max_iter apart, so that it converges), and ours are the same settings.
 */

const calibration = 'none'
const logistic: Candidate = {
  ...{ name: 'logistic', family: 'logistic', engine: 'lbfgs', calibration },
  parameters: { C: 1, tolerance: 1e-6, maxIterations: 10_000 },
}
const ridge: Candidate = {
  ...{ name: 'ridge', family: 'ridge', engine: 'cholesky', calibration },
  parameters: { alpha: 1 },
}
const svm: Candidate = {
  ...{ name: 'svm', family: 'svm', engine: 'libsvm', calibration },
  parameters: { kernel: 'rbf', C: 1, gamma: 'scale', epsilon: 0.1 },
}
/** Scikit-learn lets trees grow to the end; these, too, end before the depth does. */
const forest: Candidate = {
  ...{ name: 'forest', family: 'forest', engine: 'histogram', calibration },
  parameters: {
    ...{ trees: 100, maxDepth: 30, minSamplesSplit: 2, minSamplesLeaf: 1, maxFeatures: 'auto', criterion: 'auto' },
    ...{ bootstrap: true, classWeight: 'none', maxBins: 256 },
  },
}

type Task = {
  readonly name: string
  /** Of `examples/`; its last column is the target. */
  readonly path: string
  readonly kind: Dataset['kind']
  readonly candidates: readonly Candidate[]
  readonly how: string
  readonly splitsOf: (dataset: Dataset) => Int32Array[]
  /** How far below the peer's score ours may be. */
  readonly allowance: number
}

const classesOf = (dataset: Dataset): { labels: Int32Array; classes: number } => {
  if (dataset.kind === 'regression') throw new TypeError('these splits are by class')
  return { labels: dataset.labels, classes: dataset.classNames.length }
}

const twentySplits = (dataset: Dataset): Int32Array[] => {
  const { labels, classes } = classesOf(dataset)
  return Array.from(
    { length: 20 },
    (_, seed) => stratifiedSplit(labels, classes, 0.2, createRandom(seed, 'split')).test,
  )
}

const fiveFolds = (dataset: Dataset): Int32Array[] => {
  const random = createRandom(1, 'folds')
  if (dataset.kind === 'classification') return stratifiedFolds(dataset.labels, dataset.classNames.length, 5, random)
  const rows = shuffle([...Array(dataset.rows).keys()], random)
  return Array.from({ length: 5 }, (_, fold) => Int32Array.from(rows.filter((_row, i) => i % 5 === fold)).sort())
}

const classification = { kind: 'classification', candidates: [logistic, forest, svm] } as const
const folds = { how: '5 folds', splitsOf: fiveFolds } as const

const tasks: readonly Task[] = [
  {
    ...{ name: 'iris', path: 'iris/iris.csv', ...classification },
    ...{ how: '20 seeds, 30 rows held out', splitsOf: twentySplits, allowance: 0.005 },
  },
  { name: 'breast cancer', path: 'breast-cancer/breast_cancer.csv', ...classification, ...folds, allowance: 0.01 },
  { name: 'digits', path: 'digits/digits.csv', ...classification, ...folds, allowance: 0.01 },
  {
    ...{ name: 'diabetes', path: 'diabetes/diabetes.csv', ...folds, allowance: 0.02 },
    ...{ kind: 'regression', candidates: [ridge, forest, svm] },
  },
]

const read = ({ path, kind }: Task): Dataset => {
  const csv = readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')
  const [header, ...rows] = csv.trimEnd().split(/\r?\n/)
  const names = header!.split(',')
  const name = names.at(-1)!
  const classes = [...new Set(rows.map((row) => row.slice(row.lastIndexOf(',') + 1)))].sort()
  return readCsvDataset(csv, {
    label: path,
    features: names.slice(0, -1).map((feature) => ({ name: feature, type: 'double', nullable: false })),
    target: kind === 'regression' ? { name, type: 'regression' } : { name, type: 'classification', classes },
  })
}

/** Mean score of a candidate over the splits. */
const scoreOf = (candidate: Candidate, dataset: Dataset, splits: readonly Int32Array[]): number => {
  const scores = splits.map((held, seed) => {
    const { scorer } = fitCandidate(candidate, takeRows(dataset, rowsOutside(dataset.rows, held)), seed)
    const found = evaluate(scorer, takeRows(dataset, held))
    return found.kind === 'classification' ? found.accuracy : found.r2
  })
  return scores.reduce((sum, score) => sum + score, 0) / scores.length
}

const lineOf = ({ name, kind, how, allowance }: Task, model: string, ours: number, theirs: number): BenchLine => {
  const isAccuracy = kind === 'classification'
  const [scale, digits, unit, more] = isAccuracy ? [100, 2, ' %', ' points'] : [1, 4, '', '']
  const difference = (ours - theirs) * scale
  return {
    measure: `${isAccuracy ? 'accuracy' : 'R2'}, ${name}, ${model} (${how})`,
    ours: `${(ours * scale).toFixed(digits)}${unit}`,
    peer: `scikit-learn ${(theirs * scale).toFixed(digits)}${unit}`,
    figure: `${difference < 0 ? '' : '+'}${difference.toFixed(digits)}${more}`,
    target: `at least -${allowance * scale}${more}`,
    met: ours >= theirs - allowance,
  }
}

export const run: ModelBench = async ({ peer, say }) => {
  const python = peer.start('models/accuracy.py')
  try {
    const lines: BenchLine[] = []
    for (const task of tasks) {
      const dataset = read(task)
      const splits = task.splitsOf(dataset)
      const { path: data, kind } = task
      const theirs = await python.ask<Record<string, number>>({ data, kind, splits: splits.map((held) => [...held]) })
      for (const candidate of task.candidates) {
        say(`  ${task.name}, ${candidate.name}`)
        lines.push(lineOf(task, candidate.name, scoreOf(candidate, dataset, splits), theirs[candidate.name]!))
      }
    }
    return lines
  } finally {
    python.stop()
  }
}
