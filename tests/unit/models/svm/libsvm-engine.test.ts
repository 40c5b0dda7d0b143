import { createRequire } from 'node:module'
import { afterAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../../../src/features/random.ts'
import { FitFailed } from '../../../../src/models/model-errors.ts'
import { decisionOf } from '../../../../src/models/svm/kernel-machine.ts'
import { type LibsvmProblem, openLibsvm } from '../../../../src/models/svm/libsvm-engine.ts'
import { gaussian } from '../../../support/training-rows.ts'

type PackageMachine = {
  train: (samples: number[][], labels: number[]) => void
  predictOne: (sample: number[]) => number
  getSVIndices: () => number[]
  serializeModel: () => string
  free: () => void
}
type Package = new (options: Record<string, string | number | boolean>) => PackageMachine

// The package's own loader makes every unhandled rejection end the process: what it adds is taken off again.
const listeners = process.listeners('unhandledRejection')
const Svm = createRequire(import.meta.url)('libsvm-js/asm') as Package
afterAll(() => {
  for (const listener of process.listeners('unhandledRejection')) {
    if (!listeners.includes(listener)) process.off('unhandledRejection', listener)
  }
})

const ROWS = 300
const COLUMNS = 5
const random = createRandom(3, 'libsvm')
const features = Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => gaussian(random) + (i < 700 ? 0.6 : 0))
const sampleOf = (row: number): number[] => [...features.subarray(row * COLUMNS, (row + 1) * COLUMNS)]
const allRows = Int32Array.from({ length: ROWS }, (_, row) => row)
const classTargets = Float64Array.from(allRows, (row) => (row < 140 ? 1 : -1))
const valueTargets = Float64Array.from(allRows, (row) => Math.sin(features[row * COLUMNS]!) + 0.1 * gaussian(random))

const problemOf = (machine: LibsvmProblem['machine'], kernel: LibsvmProblem['kernel']): LibsvmProblem => ({
  ...{ machine, kernel, C: 2, gamma: 0.3, epsilon: 0.05, tolerance: 1e-3 },
  ...{ features, columns: COLUMNS, rows: allRows, targets: machine === 'c-svc' ? classTargets : valueTargets },
})

const packageMachine = ({ machine, kernel, C, gamma, epsilon, tolerance, targets }: LibsvmProblem): PackageMachine => {
  const type = machine === 'c-svc' ? '0' : '3'
  const quiet = true
  const svm = new Svm({ type, kernel: kernel === 'linear' ? '0' : '2', cost: C, gamma, epsilon, tolerance, quiet })
  svm.train(Array.from(allRows, sampleOf), [...targets])
  return svm
}

describe.each([
  problemOf('c-svc', 'rbf'),
  problemOf('c-svc', 'linear'),
  problemOf('epsilon-svr', 'rbf'),
  problemOf('epsilon-svr', 'linear'),
])('$machine with the $kernel kernel', (problem) => {
  const ours = openLibsvm().train(problem)
  const theirs = packageMachine(problem)
  const kernel = problem.kernel === 'rbf' ? ({ kind: 'rbf', gamma: 0.3 } as const) : ({ kind: 'linear' } as const)

  it('is the machine that the package trains through its own loader', () => {
    expect([...ours.supportRows]).toEqual(theirs.getSVIndices())
    const lines = theirs.serializeModel().split('\n')
    const vectors = lines.slice(lines.indexOf('SV') + 1).filter((line) => line !== '')
    vectors.forEach((line, i) => {
      expect(ours.coefficients[i]).toBeCloseTo(Number(line.split(' ')[0]), 13)
    })
    expect(vectors.length).toBe(ours.coefficients.length)
  })

  it('decides as LIBSVM does', () => {
    for (let row = 0; row < ROWS; row++) {
      const decision = decisionOf(ours, kernel, features, COLUMNS, row)
      const predicted = theirs.predictOne(sampleOf(row))
      if (problem.machine === 'c-svc') expect(Math.sign(decision)).toBe(predicted)
      else expect(Math.abs(decision - predicted)).toBeLessThan(1e-12)
    }
    theirs.free()
  })
})

it('trains one machine after another in the same memory', () => {
  const engine = openLibsvm()
  const first = engine.train(problemOf('c-svc', 'rbf'))
  for (let i = 0; i < 50; i++) engine.train(problemOf('epsilon-svr', 'rbf'))
  expect(engine.train(problemOf('c-svc', 'rbf'))).toEqual(first)
})

it('takes more rows than fit its first memory', () => {
  const rows = 4000
  const columns = 400
  const wide = Float64Array.from({ length: rows * columns }, (_, i) =>
    i % columns === 0 ? (i < 2000 * columns ? 1 : -1) : 0,
  )
  const machine = openLibsvm().train({
    ...problemOf('c-svc', 'linear'),
    ...{ features: wide, columns, rows: Int32Array.from({ length: rows }, (_, row) => row) },
    targets: Float64Array.from({ length: rows }, (_, row) => (row < 2000 ? 1 : -1)),
  })
  const weight = machine.coefficients.reduce(
    (sum, value, i) => sum + value * wide[machine.supportRows[i]! * columns]!,
    0,
  )
  expect(weight).toBeCloseTo(1, 2)
})

it('refuses rows that LIBSVM has no memory for', () => {
  const rows = new Int32Array(3_000_000)
  const problem = { ...problemOf('c-svc', 'linear'), columns: 30, rows, targets: new Float64Array(rows.length) }
  expect(() => openLibsvm().train(problem)).toThrow(FitFailed)
})
