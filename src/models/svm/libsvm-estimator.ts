import type { LibsvmParameters } from '../candidate.ts'
import type { Estimator, TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import type { NamedArray } from '../sections.ts'
import { compileMachines, compilePairs } from './compile-machines.ts'
import type { Kernel } from './kernel-machine.ts'
import { openLibsvm } from './libsvm-engine.ts'
import { trainPairs } from './pair-machines.ts'

// Time grows with the square of the rows: of 20 features and overlapping classes, 10,000 take 20 seconds on one core,
// 20,000 a minute and a half.
export const LIBSVM_MAX_ROWS = 50_000

// LIBSVM's own: its tolerance, and the folds of Platt's sigmoid.
const TOLERANCE = 1e-3
const PLATT_FOLDS = 5

/** 1 / (columns * variance of all values), as scikit-learn has it; 1 where they do not vary. */
const scaledGamma = ({ features, columns }: TrainingRows): number => {
  let sum = 0
  for (const value of features) sum += value
  const mean = sum / features.length
  let squares = 0
  for (const value of features) squares += (value - mean) ** 2
  return squares === 0 ? 1 : features.length / (columns * squares)
}

const kernelFrom = (rows: TrainingRows, { kernel, gamma }: LibsvmParameters): Kernel =>
  kernel === 'linear' ? { kind: 'linear' } : { kind: 'rbf', gamma: gamma === 'scale' ? scaledGamma(rows) : gamma }

/** What all machines of a fit have in common. */
const settingsOf = (rows: TrainingRows, kernel: Kernel, parameters: LibsvmParameters) => ({
  kernel: kernel.kind,
  gamma: kernel.kind === 'rbf' ? kernel.gamma : 1,
  C: parameters.C,
  epsilon: parameters.epsilon,
  tolerance: TOLERANCE,
  features: rows.features,
  columns: rows.columns,
})

/** C-SVC for each pair of classes. */
const fitClasses = (rows: TrainingRows, parameters: LibsvmParameters, seed: number): NamedArray[] => {
  const kernel = kernelFrom(rows, parameters)
  const settings = settingsOf(rows, kernel, parameters)
  const engine = openLibsvm()
  const machines = trainPairs(rows, kernel, PLATT_FOLDS, seed, (pairRows, firsts) =>
    engine.train({
      ...settings,
      machine: 'c-svc',
      rows: pairRows,
      targets: Float64Array.from(pairRows, (_, i) => (i < firsts ? 1 : -1)),
    }),
  )
  return compilePairs(machines, rows, kernel)
}

/** Epsilon-SVR of the standardised target; what it gives is in the target's unit again. */
const fitNumbers = (rows: TrainingRows, values: Float64Array, parameters: LibsvmParameters): NamedArray[] => {
  const mean = values.reduce((sum, value) => sum + value, 0) / rows.rows
  const scale = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows.rows) || 1
  if (!Number.isFinite(scale)) throw new FitFailed('the targets are too large to standardise; use another unit')
  const kernel = kernelFrom(rows, parameters)
  const machine = openLibsvm().train({
    ...settingsOf(rows, kernel, parameters),
    machine: 'epsilon-svr',
    rows: Int32Array.from({ length: rows.rows }, (_, row) => row),
    targets: values.map((value) => (value - mean) / scale),
  })
  const inUnit = {
    supportRows: machine.supportRows,
    coefficients: machine.coefficients.map((coefficient) => coefficient * scale),
    intercept: machine.intercept * scale + mean,
  }
  return compileMachines([inUnit], rows, kernel)
}

/**
 * Support vector machines by LIBSVM (Chang, Lin, "LIBSVM: a library for support vector machines", ACM TIST 2, 2011):
 * C-SVC for classes, one machine per pair, and epsilon-SVR for numbers. The seed deals the rows to the folds of Platt's
 * sigmoid; LIBSVM's own folds would come from a generator that cannot be seeded.
 */
export const createLibsvmEstimator = (parameters: LibsvmParameters): Estimator => ({
  maxRows: LIBSVM_MAX_ROWS,
  kinds: ['classification', 'regression'],
  fit: (rows, seed) =>
    rows.target.kind === 'classification'
      ? fitClasses(rows, parameters, seed)
      : fitNumbers(rows, rows.target.values, parameters),
})
