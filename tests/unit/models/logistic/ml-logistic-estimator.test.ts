import { expect, it } from 'vitest'
import { bestClass } from '../../../../src/models/best-class.ts'
import type { TrainingRows } from '../../../../src/models/estimator.ts'
import { openLogistic } from '../../../../src/models/logistic/logistic-scorer.ts'
import {
  compileMlLogistic,
  trainMlLogistic,
  withIntercept,
} from '../../../../src/models/logistic/ml-logistic-estimator.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { standardisedRows } from '../../../support/example-rows.ts'
import { candidates, clouds, iris } from '../../../support/training-rows.ts'

const rowsOf = ({ features, labels }: ReturnType<typeof clouds>): TrainingRows =>
  standardisedRows(features, 4, { kind: 'classification', labels, classes: 3 })

const overlapping = (rowsPerClass: number, seed: number) =>
  clouds({ rowsPerClass, classes: 3, columns: 4, distance: 0.7, seed })

it.each([
  ['iris', rowsOf(iris())],
  ['overlapping clouds', rowsOf(overlapping(50, 3))],
])('compiled on %s, it gives the engine’s sigmoids, divided by their sum, and its class', (_name, rows) => {
  const engine = trainMlLogistic(rows, candidates.logistic.parameters)
  const sections = createSections(compileMlLogistic(engine))
  const score = openLogistic(sections, { kind: 'classification', columns: 4, outputs: 3 })
  for (const block of [rows, rowsOf(overlapping(100, 4))]) {
    const probabilities = new Float64Array(block.rows * 3)
    score(block.features, 0, block.rows, probabilities, 0)
    const others = engine.classifiers.map((classifier) => classifier.testScores(withIntercept(block)))
    const classes = engine.predict(withIntercept(block))
    for (let row = 0; row < block.rows; row++) {
      const own = others.map((scores) => 1 - scores[row]!)
      const sum = own.reduce((total, p) => total + p, 0)
      own.forEach((p, c) => {
        expect(probabilities[row * 3 + c]).toBeCloseTo(p / sum, 11)
      })
      expect(bestClass(probabilities, row * 3, 3)).toBe(classes[row])
    }
  }
})
