import SVM from 'ml-svm'
import { createRandom } from '../../features/random.ts'
import type { MlSvmParameters } from '../candidate.ts'
import { type Estimator, rowOf, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { compilePairs } from './compile-machines.ts'
import { type Kernel, type KernelMachine, kernelOf } from './kernel-machine.ts'
import { trainPairs } from './pair-machines.ts'

// A fit of 2,000 overlapping rows takes seconds, and time grows with more than their square.
const MAX_ROWS = 2000

// LIBSVM's tolerance. The engine's own is ten times closer and gave the same mean accuracy over 20 splits.
const TOLERANCE = 1e-3
const MAX_PASSES = 3
const MAX_ITERATIONS = 10_000

// LIBSVM takes five. With three, Platt's sigmoid costs about as much as the machine itself.
const PLATT_FOLDS = 3

/** The kernel that the parameters mean. */
export const kernelFrom = ({ kernel, sigma }: MlSvmParameters): Kernel =>
  kernel === 'linear' ? { kind: 'linear' } : { kind: 'rbf', gamma: 1 / (2 * sigma * sigma) }

/**
 * The engine with a 2-norm soft margin: errors are squared, which is a hard margin under the kernel K + I / C
 * (Cristianini, Shawe-Taylor, An Introduction to Support Vector Machines, section 6.1.2). The engine's own C would
 * square nothing, but it bounds a step between rows of two classes by C where `C + a_j - a_i` is right, so that
 * multipliers leave their box and it may stop far from the optimum. Without an upper bound its steps are right.
 */
const createEngine = (rows: TrainingRows, parameters: MlSvmParameters, seed: number): SVM => {
  const kernel = kernelFrom(parameters)
  const pair = new Float64Array(2 * rows.columns)
  return new SVM({
    C: Number.POSITIVE_INFINITY,
    kernel: {
      compute: (a, b) => {
        pair.set(a)
        pair.set(b, rows.columns)
        // A row meets itself only on the diagonal of the kernel matrix: rows are arrays of their own, even equal ones.
        return kernelOf(kernel, pair, rows.columns, 0, 1) + (a === b ? 1 / parameters.C : 0)
      },
    },
    tol: TOLERANCE,
    maxPasses: MAX_PASSES,
    maxIterations: MAX_ITERATIONS,
    random: createRandom(seed).next,
    // It scales by the range of each pair's rows; ours are standardised over all rows already.
    whitening: false,
  })
}

/** @param firsts how many of `pairRows`, from the first on, are of the class with target 1 */
export const trainMlSvm = (
  rows: TrainingRows,
  pairRows: Int32Array,
  firsts: number,
  parameters: MlSvmParameters,
  seed: number,
): SVM => {
  const engine = createEngine(rows, parameters, seed)
  try {
    engine.train(
      Array.from(pairRows, (row) => rowOf(rows, row)),
      Array.from(pairRows, (_, i) => (i < firsts ? 1 : -1)),
    )
  } catch (cause) {
    const setting = `${pairRows.length} rows with C ${parameters.C} and sigma ${parameters.sigma}`
    throw new FitFailed(`ml-svm did not converge on ${setting}; set a smaller C or another sigma`, { cause })
  }
  return engine
}

/** What the engine has learnt of `pairRows`. */
export const machineOf = (engine: SVM, pairRows: Int32Array): KernelMachine => ({
  supportRows: Int32Array.from(engine.supportVectors(), (i) => pairRows[i]!),
  coefficients: Float64Array.from(engine.alphas, (alpha, i) => alpha * engine.Y[i]!),
  intercept: engine.b,
})

/** Support vector machines by ml-svm, one per pair of classes. */
export const createMlSvmEstimator = (parameters: MlSvmParameters): Estimator => ({
  maxRows: MAX_ROWS,
  kinds: ['classification'],
  fit: (rows, seed) => {
    const kernel = kernelFrom(parameters)
    const machines = trainPairs(rows, kernel, PLATT_FOLDS, seed, (pairRows, firsts, machineSeed) =>
      machineOf(trainMlSvm(rows, pairRows, firsts, parameters, machineSeed), pairRows),
    )
    return compilePairs(machines, rows, kernel)
  },
})
