import { describe, expect, it } from 'vitest'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'
import type { TargetSpec } from '../../../src/features/target-spec.ts'
import type { LabelledRow } from '../../../src/history/history-types.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import { type MeasuredModel, type RecentLabels, readRecentLabels } from '../../../src/retraining/recent-labels.ts'

const features: FeatureSpec[] = [
  { name: 'size', type: 'double', nullable: false },
  { name: 'town', type: 'category', categories: ['north', 'south'], nullable: false },
]
const classes: TargetSpec = { name: 'level', type: 'classification', classes: ['low', 'high'] }
const numbers: TargetSpec = { name: 'price', type: 'regression' }

const rowsOf = (labelOf: (n: number) => string): LabelledRow[] =>
  Array.from({ length: 60 }, (_, n) => ({
    event_id: `e${n}`,
    event_time: n,
    labelled_at: n,
    features: [n, n % 2 === 0 ? 'north' : 'south'],
    prediction: '',
    value: null,
    model_version: '1',
    label: labelOf(n),
  }))

const recentOf = async (target: TargetSpec, rows: LabelledRow[]): Promise<RecentLabels> => {
  const recent = await readRecentLabels({
    history: { countLabelled: async () => rows.length, labelledRows: async () => rows },
    features,
    target,
    featuresOf: () => ['size', 'town'],
    sinceEventTime: null,
    recentLabels: 100,
    minLabels: 50,
    holdoutFraction: 0.5,
  })
  if (recent.status === 'not_ready') throw new Error(recent.reason)
  return recent
}

const modelOf = (
  about: Pick<Scorer, 'kind' | 'featureNames' | 'classNames' | 'outputs'> & { categories: string[][] },
  score: (row: Float64Array) => number[],
): MeasuredModel => ({
  manifest: { categories: about.categories },
  scorer: {
    ...about,
    scoreBlock: (vectors, rows, out) => {
      const width = about.featureNames.length
      for (let i = 0; i < rows; i++) out.set(score(vectors.subarray(i * width, (i + 1) * width)), i * about.outputs)
    },
  },
})

describe('a model on the held-out rows', () => {
  it('is measured in its own order of features, categories and classes, and answers in the order of the task', async () => {
    const recent = await recentOf(
      classes,
      rowsOf((n) => (n % 2 === 0 ? 'low' : 'high')),
    )
    // It knows the towns and the classes the other way round: south is 0, and so is high.
    const model = modelOf(
      {
        kind: 'classification',
        featureNames: ['town', 'size'],
        classNames: ['high', 'low'],
        outputs: 2,
        categories: [['south', 'north'], []],
      },
      ([town]) => (town === 0 ? [0.9, 0.1] : [0.2, 0.8]),
    )
    const measured = recent.measure(model)
    expect(measured?.evaluation).toMatchObject({ accuracy: 1, rows: recent.holdout.rows })
    const { labels } = recent.holdout as Extract<typeof recent.holdout, { kind: 'classification' }>
    expect([...(measured?.outputs ?? [])]).toEqual(
      [...labels].flatMap((label) => (label === 0 ? [0.8, 0.2] : [0.1, 0.9])),
    )
  })

  it('is measured by its errors where a number is predicted', async () => {
    const recent = await recentOf(
      numbers,
      rowsOf((n) => String(2 * n)),
    )
    const about = { kind: 'regression', featureNames: ['size'], classNames: [], outputs: 1, categories: [[]] } as const
    const exact = recent.measure(modelOf({ ...about, categories: [[]] }, ([size]) => [2 * size!]))
    expect(exact?.evaluation).toMatchObject({ kind: 'regression', r2: 1, rmse: 0 })
    const off = recent.measure(modelOf({ ...about, categories: [[]] }, ([size]) => [2 * size! + 3]))
    expect(off?.evaluation).toMatchObject({ rmse: 3 })
    expect(recent.holdout.rows + recent.train.rows).toBe(60)
  })

  it.each<[string, Partial<Scorer>, string[][]]>([
    ['is of another kind', { kind: 'regression', classNames: [], outputs: 1 }, [[]]],
    ['has other classes', { classNames: ['low', 'other'] }, [[]]],
    ['takes a number as a category', {}, [['1', '2']]],
    ['takes a feature that the task does not have', { featureNames: ['weight'] }, [[]]],
  ])('is not measured where it %s', async (_name, changes, categories) => {
    const recent = await recentOf(
      classes,
      rowsOf(() => 'low'),
    )
    const about = { kind: 'classification', featureNames: ['size'], classNames: ['low', 'high'], outputs: 2 } as const
    expect(recent.measure(modelOf({ ...about, ...changes, categories }, () => [1, 0]))).toBeNull()
  })
})
