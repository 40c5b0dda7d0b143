import { describe, expect, it } from 'vitest'
import { chooseTrial } from '../../../../src/models/tournament/choose-trial.ts'
import { summariseFolds } from '../../../../src/models/tournament/fold-scores.ts'

const trial = (name: string, mean: number, se: number, bytes: number) => ({
  name,
  bytes,
  cv: { metric: 'accuracy' as const, mean, sd: 0, se, folds: 5, repeats: 1 },
})

const trials = [
  trial('large', 0.92, 0.01, 9000),
  trial('best', 0.95, 0.02, 5000),
  trial('small', 0.935, 0.5, 100),
  trial('small, worse', 0.931, 0.5, 100),
  trial('smallest, too bad', 0.929, 0.5, 10),
]

describe('of several trials', () => {
  it('the best is the one with the best mean, and of equal ones the first', () => {
    expect(chooseTrial(trials, 'best')?.name).toBe('best')
    const twins = [trial('a', 0.9, 0, 9), trial('b', 0.9 + 1e-15, 0, 1)]
    expect(chooseTrial(twins, 'best')?.name).toBe('a')
    expect(chooseTrial(twins.toReversed(), 'best')?.name).toBe('b')
  })

  it('one standard error below the best, the smallest is chosen, and of equally small ones the better', () => {
    expect(chooseTrial(trials, 'one_standard_error')?.name).toBe('small')
    expect(chooseTrial(trials.toReversed(), 'one_standard_error')?.name).toBe('small')
  })

  it('the error that counts is that of the best', () => {
    const sure = trials.map((one) => (one.name === 'best' ? trial('best', 0.95, 0.001, 5000) : one))
    expect(chooseTrial(sure, 'one_standard_error')?.name).toBe('best')
  })

  it('none is none', () => {
    expect(chooseTrial([], 'best')).toBeUndefined()
    expect(chooseTrial([], 'one_standard_error')).toBeUndefined()
  })
})

it('the standard error is that of the folds of one repetition, the mean that of all', () => {
  const cv = summariseFolds('accuracy', [
    [0.8, 0.9],
    [0.6, 1.0],
  ])
  expect(cv).toMatchObject({ metric: 'accuracy', folds: 2, repeats: 2 })
  expect(cv.mean).toBeCloseTo(0.825, 12)
  expect(cv.se).toBeCloseTo((0.05 + 0.2) / 2 / Math.SQRT2, 12)
  expect(cv.sd).toBeCloseTo(Math.sqrt((0.025 ** 2 + 0.075 ** 2 + 0.225 ** 2 + 0.175 ** 2) / 4), 12)
})
