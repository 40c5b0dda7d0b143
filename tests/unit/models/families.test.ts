import { describe, expect, it } from 'vitest'
import type { ClassDataset, NumberDataset } from '../../../src/features/dataset.ts'
import { createEstimator, enginesPastLimit } from '../../../src/models/families.ts'
import { reasonToSkip } from '../../../src/models/tournament/reason-to-skip.ts'
import { classifiers, regressors } from '../../support/engine-candidates.ts'

const all = [...classifiers, ...regressors]

describe('past the row limit of an engine', () => {
  const classes = (rows: number): ClassDataset => ({
    ...{ kind: 'classification', featureNames: ['x'], categories: [[]], classNames: ['a', 'b'], rows },
    ...{ features: new Float64Array(rows), labels: new Int32Array(rows) },
  })
  const numbers = (rows: number): NumberDataset => ({
    ...{ kind: 'regression', featureNames: ['x'], categories: [[]], rows },
    ...{ features: new Float64Array(rows), targets: new Float64Array(rows) },
  })

  it.each(classifiers.filter((candidate) => createEstimator(candidate).maxRows < Number.POSITIVE_INFINITY))(
    'the refusal of $name names engines that take as many rows',
    (candidate) => {
      for (const rows of [createEstimator(candidate).maxRows + 1, 1_000_000]) {
        const engines = enginesPastLimit(candidate.engine, 'classification', rows)
        expect(engines.length).toBeGreaterThan(0)
        for (const engine of engines) {
          const { maxRows, kinds } = createEstimator(all.find((one) => one.engine === engine)!)
          expect(maxRows).toBeGreaterThanOrEqual(rows)
          expect(kinds).toContain('classification')
        }
        expect(reasonToSkip(candidate, classes(rows), {})).toContain(`use the engine ${engines.join(' or ')}`)
      }
    },
  )

  it('that of libsvm depends on what is told', () => {
    expect(reasonToSkip(classifiers[2]!, classes(50_001), {})).toMatch(/use the engine lbfgs or histogram$/)
    expect(reasonToSkip(regressors[1]!, numbers(50_001), {})).toMatch(/use the engine cholesky or histogram$/)
    expect(reasonToSkip(regressors[1]!, numbers(50_000), {})).toBeNull()
  })
})
