import { describe, expect, it } from 'vitest'
import { scoreNumbers } from '../../../../src/models/metrics/number-scores.ts'
import { scoreProbabilities } from '../../../../src/models/metrics/probability-scores.ts'
import fixture from '../../../fixtures/models/scores.json' with { type: 'json' }

describe('probabilities are scored as scikit-learn and numpy do', () => {
  it.each(fixture.probability_scores.map((expected, i) => [i, expected] as const))('case %i', (_, expected) => {
    const { probabilities, labels, classes } = expected
    const scores = scoreProbabilities(Float64Array.from(probabilities), Int32Array.from(labels), classes)
    expect(scores.log_loss).toBeCloseTo(expected.log_loss, 12)
    expect(scores.brier_score).toBeCloseTo(expected.brier_score, 12)
    expect(scores.calibration_error).toBeCloseTo(expected.calibration_error, 12)
  })
})

it('counts a sure mistake as 34.5 nats, and a sure hit as nothing', () => {
  const sure = scoreProbabilities(Float64Array.of(1, 0), Int32Array.of(1), 2)
  expect(sure).toEqual({ log_loss: -Math.log(1e-15), brier_score: 2, calibration_error: 1 })
  expect(scoreProbabilities(Float64Array.of(1, 0), Int32Array.of(0), 2)).toEqual({
    log_loss: 0,
    brier_score: 0,
    calibration_error: 0,
  })
})

it('puts a top probability on an edge into the bin below it', () => {
  // 0.9 and 0.8 fall into two bins: the gaps of 0.1 and 0.8 do not cancel.
  const probabilities = Float64Array.of(0.1, 0.9, 0.8, 0.2)
  expect(scoreProbabilities(probabilities, Int32Array.of(1, 1), 2).calibration_error).toBeCloseTo(0.45, 12)
})

describe('numbers are scored as scikit-learn does', () => {
  it.each(fixture.number_scores.map((expected, i) => [i, expected] as const))('case %i', (_, expected) => {
    const scores = scoreNumbers(Float64Array.from(expected.predicted), Float64Array.from(expected.targets))
    expect(scores.r2).toBeCloseTo(expected.r2, 9)
    expect(scores.rmse).toBeCloseTo(expected.rmse, 9)
    expect(scores.mae).toBeCloseTo(expected.mae, 9)
  })

  it('has no R2 for targets that do not vary', () => {
    expect(scoreNumbers(Float64Array.of(1, 3), Float64Array.of(2, 2))).toEqual({ r2: 0, rmse: 1, mae: 1 })
    // The sum of these, divided by 3, is not 0.1.
    expect(scoreNumbers(Float64Array.of(1, 2, 3), new Float64Array(3).fill(0.1)).r2).toBe(0)
  })

  it('has finite figures for a row far outside', () => {
    const { r2, rmse, mae } = scoreNumbers(Float64Array.of(1e200, 2, 3), Float64Array.of(1, 2, 3))
    expect(r2).toBe(-1e150)
    expect(rmse / 1e200).toBeCloseTo(Math.sqrt(1 / 3), 12)
    expect(mae / 1e200).toBeCloseTo(1 / 3, 12)
    expect(scoreNumbers(Float64Array.of(1e151, 2), Float64Array.of(1, 2)).rmse / 1e151).toBeCloseTo(Math.SQRT1_2, 12)
  })
})
