import { describe, expect, it } from 'vitest'
import { takeRows } from '../../../src/features/dataset.ts'
import { rowsOutside } from '../../../src/features/stratified.ts'
import type { Candidate } from '../../../src/models/candidate.ts'
import { evaluate } from '../../../src/models/evaluate.ts'
import { fitCandidate } from '../../../src/models/fit-candidate.ts'
import fixture from '../../fixtures/models/sklearn.json' with { type: 'json' }
import { candidates, iris } from '../../support/training-rows.ts'

const calibration = 'none'

/** Each engine beside the model of scikit-learn that does the same. */
const full: readonly (readonly [peer: 'logistic' | 'forest' | 'svm', Candidate])[] = [
  [
    'logistic',
    {
      ...{ name: 'lbfgs', family: 'logistic', engine: 'lbfgs', calibration },
      parameters: { C: 1, tolerance: 1e-6, maxIterations: 1000 },
    },
  ],
  ['logistic', { ...candidates.logistic, parameters: { steps: 1500, learningRate: 1.9 } }],
  [
    'forest',
    {
      ...{ name: 'histogram', family: 'forest', engine: 'histogram', calibration },
      parameters: {
        ...{ trees: 100, maxDepth: 10, minSamplesSplit: 2, minSamplesLeaf: 1, maxFeatures: 'auto', criterion: 'auto' },
        ...{ bootstrap: true, classWeight: 'none', maxBins: 256 },
      },
    },
  ],
  ['forest', { ...candidates.forest, parameters: { trees: 100, maxDepth: 10, minSamplesSplit: 2, maxFeatures: 0.5 } }],
  [
    'svm',
    {
      ...{ name: 'libsvm', family: 'svm', engine: 'libsvm', calibration },
      parameters: { kernel: 'rbf', C: 1, gamma: 'scale', epsilon: 0.1 },
    },
  ],
  ['svm', candidates.rbf],
]

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('over 20 splits of Iris the mean test accuracy is that of scikit-learn within a point', () => {
  it.each(full.map(([peer, candidate]) => ({ peer, candidate })))(
    '$candidate.engine',
    { timeout: 60_000 },
    ({ peer, candidate }) => {
      const rows = iris()
      const ours = fixture.splits.map(({ test }, seed) => {
        const held = Int32Array.from(test)
        const { scorer } = fitCandidate(candidate, takeRows(rows, rowsOutside(rows.rows, held)), seed)
        const found = evaluate(scorer, takeRows(rows, held))
        return found.kind === 'classification' ? found.accuracy : Number.NaN
      })
      const theirs = mean(fixture.splits.map(({ accuracy }) => accuracy[peer]))
      expect(mean(ours)).toBeGreaterThan(theirs - 0.01)
    },
  )
})
