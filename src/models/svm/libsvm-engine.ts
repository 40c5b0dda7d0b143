import { FitFailed } from '../model-errors.ts'
import type { KernelMachine } from './kernel-machine.ts'
import { startLibsvm } from './libsvm-module.ts'

/** Rows of one machine: two classes, told by a target of 1 or -1, or a regression. */
export type LibsvmProblem = {
  readonly machine: 'c-svc' | 'epsilon-svr'
  readonly kernel: 'rbf' | 'linear'
  readonly C: number
  readonly gamma: number
  /** Half the width of the tube, in the unit of the targets; for a regression only. */
  readonly epsilon: number
  readonly tolerance: number
  /** Row-major values that the rows are taken from. */
  readonly features: Float64Array
  readonly columns: number
  /** The rows of `features` to train on. Two classes need those with target 1 first. */
  readonly rows: Int32Array
  /** One per entry of `rows`. */
  readonly targets: Float64Array
}

/** LIBSVM in a memory of its own, which is freed when nothing refers to it any more. */
export type LibsvmEngine = {
  /**
   * A decision above 0 means target 1.
   * @throws FitFailed if LIBSVM gives up or needs more memory than it can have; then the engine is of no more use
   */
  readonly train: (problem: LibsvmProblem) => KernelMachine
}

// Byte offsets in `struct svm_problem`, `struct svm_node` and `struct svm_model` of svm.h, with pointers of 4 bytes.
const PROBLEM_Y = 4
const PROBLEM_X = 8
const NODE_BYTES = 16
const NODE_VALUE = 8
const MODEL_VECTORS = 100
const MODEL_COEFFICIENTS = 108
const MODEL_RHO = 112
const MODEL_SUPPORT_ROWS = 124

/** Most bytes that the rows may take: half of what LIBSVM can have at all, for there are its cache and its machine, too. */
const MOST_ROW_BYTES = 2 ** 30

type Exports = {
  readonly _malloc: (bytes: number) => number
  readonly _free: (at: number) => void
  readonly _create_svm_nodes: (rows: number, columns: number) => number
  readonly _free_problem: (problem: number) => void
  readonly _libsvm_train_problem: (problem: number, command: number) => number
  readonly _svm_free_model: (model: number) => void
}

const writeProblem = (exports: Exports, memory: WebAssembly.Memory, problem: LibsvmProblem): number => {
  const { features, columns, rows, targets } = problem
  const bytes = rows.length * (columns + 1) * NODE_BYTES
  if (bytes > MOST_ROW_BYTES) {
    throw new FitFailed(
      `LIBSVM would need ${Math.ceil(bytes / 2 ** 20)} MiB for ${rows.length} rows of ${columns} columns, and it can ` +
        `have ${MOST_ROW_BYTES / 2 ** 20}; train on fewer rows, or use another family`,
    )
  }
  const at = exports._create_svm_nodes(rows.length, columns)
  const view = new DataView(memory.buffer)
  const y = view.getUint32(at + PROBLEM_Y, true)
  new Float64Array(memory.buffer, y, rows.length).set(targets)
  let node = view.getUint32(view.getUint32(at + PROBLEM_X, true), true)
  for (const row of rows) {
    for (let column = 0; column < columns; column++) {
      view.setInt32(node, column + 1, true)
      view.setFloat64(node + NODE_VALUE, features[row * columns + column]!, true)
      node += NODE_BYTES
    }
    view.setInt32(node, -1, true)
    node += NODE_BYTES
  }
  return at
}

const readMachine = (memory: WebAssembly.Memory, model: number, rows: Int32Array): KernelMachine => {
  const view = new DataView(memory.buffer)
  const pointer = (at: number): number => view.getUint32(at, true)
  const count = view.getInt32(model + MODEL_VECTORS, true)
  const numbers = pointer(model + MODEL_SUPPORT_ROWS)
  return {
    supportRows: Int32Array.from(new Int32Array(memory.buffer, numbers, count), (number) => rows[number - 1]!),
    coefficients: new Float64Array(memory.buffer, pointer(pointer(model + MODEL_COEFFICIENTS)), count).slice(),
    intercept: -view.getFloat64(pointer(model + MODEL_RHO), true),
  }
}

/** In the options of LIBSVM's `svm-train`; at most 255 characters. */
const commandOf = ({ machine, kernel, C, gamma, epsilon, tolerance }: LibsvmProblem): string =>
  [
    `-s ${machine === 'c-svc' ? 0 : 3} -t ${kernel === 'linear' ? 0 : 2} -q 1`,
    `-c ${C} -g ${gamma} -p ${epsilon} -e ${tolerance} -m 200`,
  ].join(' ')

/** Opens LIBSVM. */
export const openLibsvm = (): LibsvmEngine => {
  const { memory, exports } = startLibsvm()
  const libsvm = exports as unknown as Exports

  return {
    train: (problem) => {
      const command = new TextEncoder().encode(`${commandOf(problem)}\0`)
      const commandAt = libsvm._malloc(command.length)
      new Uint8Array(memory.buffer).set(command, commandAt)
      const at = writeProblem(libsvm, memory, problem)
      const model = libsvm._libsvm_train_problem(at, commandAt)
      const machine = readMachine(memory, model, problem.rows)
      libsvm._svm_free_model(model)
      libsvm._free_problem(at)
      libsvm._free(commandAt)
      return machine
    },
  }
}
