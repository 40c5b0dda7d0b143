import { describe, expect, it } from 'vitest'
import { classTargetOf, rowOf, type TrainingRows } from '../../../../src/models/estimator.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { compileMachines } from '../../../../src/models/svm/compile-machines.ts'
import { kernelFrom, machineOf, trainMlSvm } from '../../../../src/models/svm/ml-svm-estimator.ts'
import { pairsOf } from '../../../../src/models/svm/pairwise-coupling.ts'
import { openSvmDecisions } from '../../../../src/models/svm/svm-decisions.ts'
import { standardisedRows } from '../../../support/example-rows.ts'
import { candidates, clouds, iris } from '../../../support/training-rows.ts'

const rowsOf = ({ features, labels }: ReturnType<typeof clouds>): TrainingRows =>
  standardisedRows(features, 4, { kind: 'classification', labels, classes: 3 })

const overlapping = (rowsPerClass: number, seed: number) =>
  clouds({ rowsPerClass, classes: 3, columns: 4, distance: 0.7, seed })

describe.each([
  ['iris', rowsOf(iris())],
  ['overlapping clouds', rowsOf(overlapping(50, 3))],
])('on %s', (_name, rows) => {
  it.each([candidates.rbf, candidates.linear])('the compiled machine gives the engine’s decisions: $name', (svm) => {
    const labels = classTargetOf(rows).labels
    const rowsOfClass = (index: number): number[] => [...labels.keys()].filter((row) => labels[row] === index)
    const pairs = pairsOf(3).map(([first, second]) => Int32Array.from([...rowsOfClass(first), ...rowsOfClass(second)]))
    const engines = pairs.map((pairRows) => trainMlSvm(rows, pairRows, 50, svm.parameters, 5))
    const machines = engines.map((engine, pair) => machineOf(engine, pairs[pair]!))
    const arrays = compileMachines(machines, rows, kernelFrom(svm.parameters))
    const decide = openSvmDecisions(createSections(arrays), { kind: 'classification', columns: 4, outputs: 3 })
    const decisions = new Float64Array(3)
    for (const block of [rows, rowsOf(overlapping(100, 4))]) {
      for (let row = 0; row < block.rows; row++) {
        decide(block.features, row * 4, decisions)
        engines.forEach((engine, pair) => {
          const expected = engine.marginOne(rowOf(block, row))
          expect(Math.abs(decisions[pair]! - expected)).toBeLessThan(1e-11 * Math.max(1, Math.abs(expected)))
        })
      }
    }
  })
})
