import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { FeatureSpec } from '../../../src/features/feature-spec.ts'
import { datasetOf, isHeldOut, splitRecent } from '../../../src/retraining/recent-rows.ts'
import { labelledRows } from '../../support/retrain-world.ts'

describe('the split of recent rows', () => {
  it('holds out about the fraction, whatever the events are called', () => {
    for (const name of ['e', 'order/', '00000000-0000-4000-8000-']) {
      const held = Array.from({ length: 10_000 }, (_, n) => isHeldOut(`${name}${n}`, 0.3)).filter(Boolean).length
      // Four standard deviations of a binomial with n = 10,000 and p = 0.3.
      expect(Math.abs(held - 3000)).toBeLessThan(184)
    }
  })

  it('keeps an event on its side when other events come and go', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), (numbers) => {
        const all = labelledRows(501, 0.5)
        const heldOut = new Set(splitRecent(all, 0.3).holdout.map((row) => row.event_id))
        const some = splitRecent(
          numbers.map((n) => all[n]!),
          0.3,
        )
        expect(some.holdout.every((row) => heldOut.has(row.event_id))).toBe(true)
        expect(some.train.some((row) => heldOut.has(row.event_id))).toBe(false)
        expect(some.train.length + some.holdout.length).toBe(numbers.length)
      }),
    )
  })
})

describe('labelled rows as a dataset', () => {
  const [row] = labelledRows(1, 0)
  const featuresOf = (version: string): string[] | undefined =>
    ({ '1': ['a', 'b'], '2': ['b', 'a', 'c'], '3': ['a'] })[version]
  const features: FeatureSpec[] = [
    { name: 'a', type: 'double', nullable: true },
    { name: 'b', type: 'double', nullable: false, range: [0, 10] },
  ]
  const target = { name: 'level', type: 'classification', classes: ['low', 'high'] } as const

  it('finds the features by name in the order of each version', () => {
    const rows = [
      { ...row!, features: [1, 2], model_version: '1' },
      { ...row!, features: [3, null, 5], model_version: '2', label: 'low' },
    ]
    const dataset = datasetOf(rows, { features, target, featuresOf })
    expect(dataset).toEqual({
      kind: 'classification',
      featureNames: ['a', 'b'],
      categories: [[], []],
      classNames: ['low', 'high'],
      rows: 2,
      features: Float64Array.of(1, 2, Number.NaN, 3),
      labels: Int32Array.of(1, 0),
    })
  })

  it('leaves out rows without a feature, of an unknown version, of another class or with a value of no event of today', () => {
    const rows = [
      { ...row!, model_version: '3', features: [1] },
      { ...row!, model_version: '9' },
      { ...row!, model_version: '1', features: [1, 2], label: 'other' },
      { ...row!, model_version: '1', features: [1, 'north'] },
      { ...row!, model_version: '1', features: [1, null] },
      { ...row!, model_version: '1', features: [1, 10.5] },
    ]
    expect(datasetOf(rows, { features, target, featuresOf }).rows).toBe(0)
  })

  it('turns names into the codes of the given categories, and labels into numbers where one is the target', () => {
    const towns: FeatureSpec[] = [
      { name: 'b', type: 'category', categories: ['south', 'north'], nullable: true },
      { name: 'a', type: 'double', nullable: false },
    ]
    const rows = ['north', 'east', null, 7].map((town) => ({
      ...row!,
      model_version: '1',
      features: [1, town],
      label: '12.5',
    }))
    const dataset = datasetOf([...rows, { ...rows[0]!, label: 'high' }], {
      features: towns,
      target: { name: 'price', type: 'regression' },
      featuresOf,
    })
    expect(dataset).toEqual({
      kind: 'regression',
      featureNames: ['b', 'a'],
      categories: [['south', 'north'], []],
      rows: 3,
      features: Float64Array.of(1, 1, 2, 1, Number.NaN, 1),
      targets: Float64Array.of(12.5, 12.5, 12.5),
    })
  })
})
