import { countClasses } from '../../features/dataset.ts'
import type { TrainingRows } from '../estimator.ts'
import type { NamedArray } from '../sections.ts'
import type { Kernel, KernelMachine } from './kernel-machine.ts'
import type { PairMachine } from './pair-machines.ts'
import { coefficientSlot, pairsOf } from './pairwise-coupling.ts'

const compileLinear = (machines: readonly KernelMachine[], { features, columns }: TrainingRows): NamedArray[] => {
  const weights = new Float64Array(machines.length * columns)
  machines.forEach(({ supportRows, coefficients }, machine) => {
    supportRows.forEach((row, i) => {
      for (let column = 0; column < columns; column++) {
        const at = machine * columns + column
        weights[at] = weights[at]! + coefficients[i]! * features[row * columns + column]!
      }
    })
  })
  return [{ name: 'weights', values: weights }]
}

/** A row that supports several machines is stored once, its coefficients in a row. */
const compileRbf = (machines: readonly KernelMachine[], rows: TrainingRows, gamma: number): NamedArray[] => {
  const { target, columns } = rows
  const labels = target.kind === 'classification' ? target.labels : new Int32Array(rows.rows)
  const pairs = target.kind === 'classification' ? pairsOf(target.classes) : []
  const width = target.kind === 'classification' ? target.classes - 1 : 1

  const unique = new Set<number>()
  for (const { supportRows } of machines) for (const row of supportRows) unique.add(row)
  const supportRows = [...unique].sort((a, b) => labels[a]! - labels[b]! || a - b)
  const indexOf = new Map(supportRows.map((row, index) => [row, index]))

  const coefficients = new Float64Array(supportRows.length * width)
  machines.forEach((machine, m) => {
    const [first, second] = pairs[m] ?? [0, 1]
    machine.supportRows.forEach((row, i) => {
      const slot = labels[row] === first ? coefficientSlot(first, second) : coefficientSlot(second, first)
      coefficients[indexOf.get(row)! * width + slot] = machine.coefficients[i]!
    })
  })
  const vectors = new Float64Array(supportRows.length * columns)
  supportRows.forEach((row, index) => {
    vectors.set(rows.features.subarray(row * columns, (row + 1) * columns), index * columns)
  })
  const arrays = [
    { name: 'gamma', values: Float64Array.of(gamma) },
    { name: 'vectors', values: vectors },
    { name: 'coefficients', values: coefficients },
  ]
  if (target.kind === 'regression') return arrays
  const vectorLabels = Int32Array.from(supportRows, (row) => labels[row]!)
  return [...arrays, { name: 'class_vectors', values: countClasses(vectorLabels, target.classes) }]
}

/**
 * The machines as `openSvmDecisions` reads them.
 * @param machines one per pair of `pairsOf` for classes, one for a regression
 * @param rows what they were trained on
 */
export const compileMachines = (
  machines: readonly KernelMachine[],
  rows: TrainingRows,
  kernel: Kernel,
): NamedArray[] => [
  ...(kernel.kind === 'rbf' ? compileRbf(machines, rows, kernel.gamma) : compileLinear(machines, rows)),
  { name: 'intercepts', values: Float64Array.from(machines, ({ intercept }) => intercept) },
]

/** One machine per pair of classes, as `openSvm` reads them. */
export const compilePairs = (machines: readonly PairMachine[], rows: TrainingRows, kernel: Kernel): NamedArray[] => [
  ...compileMachines(machines, rows, kernel),
  { name: 'platt', values: Float64Array.from(machines.flatMap(({ platt }) => [platt.a, platt.b])) },
]
