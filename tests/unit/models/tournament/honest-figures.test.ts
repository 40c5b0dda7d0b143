import { describe, expect, it } from 'vitest'
import type { ClassDataset } from '../../../../src/features/dataset.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { fitHere } from '../../../../src/models/fit-here.ts'
import type { TournamentCandidate } from '../../../../src/models/tournament/tournament-types.ts'
import { trainTournament } from '../../../../src/models/tournament/train-tournament.ts'
import { classifiers } from '../../../support/engine-candidates.ts'
import { smallTournament } from '../../../support/small-tournament.ts'
import { featureSpecs, gaussian } from '../../../support/training-rows.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f']

/** Features and classes that have nothing to do with each other. */
const noise = (rows: number, seed: number): ClassDataset => {
  const random = createRandom(seed, 'noise')
  return {
    kind: 'classification',
    featureNames: names,
    categories: names.map(() => []),
    classNames: ['no', 'yes'],
    rows,
    features: Float64Array.from({ length: rows * names.length }, () => gaussian(random)),
    labels: Int32Array.from({ length: rows }, () => random.below(2)),
  }
}

const searched = {
  ...classifiers[0]!,
  search: {
    method: 'random',
    trials: 15,
    over: {
      trees: [1, 3, 5],
      maxDepth: { from: 1, to: 8, scale: 'linear', integer: true },
      minSamplesLeaf: { from: 1, to: 20, scale: 'log', integer: true },
    },
  },
} as TournamentCandidate

describe('of pure noise', async () => {
  const figures = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(async (seed) => {
      const options = smallTournament({
        base: noise(150, seed),
        features: featureSpecs(names),
        classNames: ['no', 'yes'],
        candidates: [searched],
        folds: 5,
        nested: true,
        seed,
      })
      const { metrics } = (await trainTournament(options, fitHere)).artefact.manifest
      return { naive: metrics.cv.mean, nested: metrics.nested!.mean }
    }),
  )
  const meanOf = (key: 'naive' | 'nested'): number => figures.reduce((sum, one) => sum + one[key], 0) / figures.length

  it('the score of the best of many flatters', () => {
    expect(meanOf('naive')).toBeGreaterThan(0.55)
    expect(meanOf('naive') - meanOf('nested')).toBeGreaterThan(0.04)
  })

  it('the nested figure is that of chance', () => {
    // 6 times 120 rows: the mean of fair coins has a standard deviation of 0.019, and the folds share rows.
    expect(Math.abs(meanOf('nested') - 0.5)).toBeLessThan(0.06)
  })
})
