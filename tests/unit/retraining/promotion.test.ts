import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Evaluation } from '../../../src/models/manifest.ts'
import { decidePromotion } from '../../../src/retraining/promotion.ts'

const evaluation = (accuracy: number, macro_f1 = accuracy): Evaluation => ({
  kind: 'classification',
  rows: 100,
  accuracy,
  macro_f1,
  log_loss: 0,
  brier_score: 0,
  calibration_error: 0,
  confusion: [],
  per_class: [],
})
const errors = (r2: number, rmse: number): Evaluation => ({ kind: 'regression', rows: 100, r2, rmse, mae: rmse })
const untested = { pValue: null, alpha: 1 }

const decide = (champion: number | null, challenger: number, minImprovement = 0.02): boolean =>
  decidePromotion({
    champion: champion === null ? null : evaluation(champion),
    challenger: evaluation(challenger),
    metric: 'accuracy',
    minImprovement,
    ...untested,
  }).promote

describe('the decision to promote', () => {
  it.each([
    [0.9, 0.93, true],
    [0.9, 0.91, false],
    [0.9, 0.8, false],
    // Exactly 2 % is not more than 2 %, whichever way binary fractions round.
    [0.93, 0.95, false],
    [0.8, 0.82, false],
    [null, 0.1, true],
  ])('champion %s, challenger %s: %s', (champion, challenger, promote) => {
    expect(decide(champion, challenger)).toBe(promote)
  })

  it('goes by the metric that was asked for', () => {
    const decision = decidePromotion({
      champion: evaluation(0.9, 0.5),
      challenger: evaluation(0.9, 0.8),
      metric: 'macro_f1',
      minImprovement: 0.02,
      ...untested,
    })
    expect(decision).toEqual({
      promote: true,
      reason: 'macro_f1 80.0 % against 50.0 % on 100 held-out rows: more than 2.0 % better',
    })
  })

  it.each([
    [0.049, true],
    [0.05, false],
    [0.5, false],
    // A better model of which nothing is known but its figure is not sure.
    [null, false],
  ])('asks for a p-value below alpha: %s', (pValue, promote) => {
    const decision = decidePromotion({
      champion: evaluation(0.9),
      challenger: evaluation(0.95),
      metric: 'accuracy',
      minImprovement: 0.02,
      alpha: 0.05,
      pValue,
    })
    expect(decision.promote).toBe(promote)
    expect(decision.reason).toContain('with p below 0.05')
  })

  it.each([
    ['r2', 0.5, 0.53, true],
    ['r2', 0.5, 0.51, false],
    ['r2', -0.5, -0.4, true],
    // An error is better when it is less, and counts as a share of the champion's.
    ['rmse', 50, 48, true],
    ['rmse', 50, 49.5, false],
    ['rmse', 50, 60, false],
    ['rmse', 0, 0, false],
  ] as const)('by %s from %s to %s: %s', (metric, champion, challenger, promote) => {
    const of = (value: number) => (metric === 'r2' ? errors(value, 1) : errors(0, value))
    const decision = decidePromotion({
      champion: of(champion),
      challenger: of(challenger),
      metric,
      minImprovement: 0.02,
      ...untested,
    })
    expect(decision.promote).toBe(promote)
    expect(decision.reason).toContain(`${metric} ${challenger} against ${champion} on 100 held-out rows`)
  })

  it('never replaces a model by one that is not better', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, share, (champion, challenger, minImprovement) => {
        fc.pre(challenger <= champion)
        expect(decide(champion, challenger, minImprovement)).toBe(false)
      }),
    )
  })
})
