import { expect, it } from 'vitest'
import { fitHere } from '../../../../src/models/fit-here.ts'
import type { ModelManifest } from '../../../../src/models/manifest.ts'
import type { TournamentCandidate } from '../../../../src/models/tournament/tournament-types.ts'
import { trainTournament } from '../../../../src/models/tournament/train-tournament.ts'
import { classifiers } from '../../../support/engine-candidates.ts'
import { smallTournament } from '../../../support/small-tournament.ts'

const manifestOf = async (candidate: TournamentCandidate): Promise<ModelManifest> =>
  (await trainTournament(smallTournament({ candidates: [candidate], folds: 2 }), fitHere)).artefact.manifest

const forest = classifiers.find(({ engine }) => engine === 'histogram')!

it('tells of a forest how it did on the rows that its trees did not draw', async () => {
  const { metrics, data } = await manifestOf(forest)
  const { metric, score, rows } = metrics.out_of_bag!
  expect(metric).toBe('accuracy')
  expect(rows).toBeLessThanOrEqual(data.train_rows)
  expect(rows).toBeGreaterThan(0.9 * data.train_rows)
  // Honest as cross-validation is, and unlike the figure of the rows that it was grown on.
  expect(Math.abs(score - metrics.cv.mean)).toBeLessThan(0.06)
})

it('has nothing of the kind to tell of other engines', async () => {
  const lbfgs = classifiers.find(({ engine }) => engine === 'lbfgs')!
  expect((await manifestOf(lbfgs)).metrics.out_of_bag).toBeUndefined()
})

it('tells what is lost on test rows without each feature', async () => {
  const { importance, features, data, metrics } = await manifestOf(forest)
  expect(importance).toMatchObject({ method: 'permutation', metric: 'accuracy', rows: data.test_rows, repeats: 5 })
  expect(importance!.features.map(({ feature }) => feature)).toEqual(features)
  const lost = Object.fromEntries(importance!.features.map(({ feature, mean }) => [feature, mean]))
  expect(lost['petal_width']! + lost['petal_length']!).toBeGreaterThan(0.15)
  expect(lost['sepal_width']!).toBeLessThan(0.1)
  const { accuracy } = metrics.test as { accuracy: number }
  for (const loss of Object.values(lost)) expect(loss).toBeLessThanOrEqual(accuracy)
})
