import { describe, expect, it } from 'vitest'
import { assessWindow } from '../../../src/drift/assess-window.ts'
import { categoryStability, countCategories, poolRare, totalVariation } from '../../../src/drift/category-shares.ts'
import { createDriftReference } from '../../../src/drift/reference.ts'
import { mulberry32 } from '../../support/described-sample.ts'

const WINDOW_ROWS = 200

/** The defaults of a task, but for the floor. */
const thresholds = { alpha: 0.001, correction: 'benjamini-hochberg', minStatistic: 0 } as const

const drawFrom = (draw: () => number, shares: readonly number[], rows: number): Float64Array =>
  Float64Array.from({ length: rows }, () => {
    let rest = draw()
    let code = 0
    while (code < shares.length - 1 && rest >= shares[code]!) rest -= shares[code++]!
    return code
  })

const names = (count: number): string[] => Array.from({ length: count }, (_, code) => `c${code}`)

/** Windows of four features that drifted by their p-values alone. */
const driftedWindows = (options: {
  seed: number
  shares: readonly number[]
  referenceRows: number
  windows: number
}) => {
  const { shares, referenceRows, windows } = options
  const draw = mulberry32(options.seed)
  const columns = (rows: number) => Array.from({ length: 4 }, () => drawFrom(draw, shares, rows))
  const reference = createDriftReference({
    modelVersion: '1',
    featureNames: names(4),
    columns: columns(referenceRows),
    categories: names(4).map(() => names(shares.length)),
  })
  const about = { modelVersion: '1', rows: WINDOW_ROWS, firstEventTime: 0, lastEventTime: 0, lastEventId: '' }
  let drifted = 0
  for (let i = 0; i < windows; i++) {
    if (assessWindow(reference, { ...about, columns: columns(WINDOW_ROWS) }, thresholds).drifted) drifted++
  }
  return drifted
}

describe('categories that do not drift', () => {
  const ranked = Array.from({ length: 100 }, (_, i) => 1 / (i + 1))
  const total = ranked.reduce((sum, share) => sum + share, 0)

  // One window in a thousand is expected to; 600 give more than 4 with a chance below 0.001.
  it.each([
    ['two alike', [0.5, 0.5], 1000],
    ['a hundred, most of them rare, that is pooled', ranked.map((share) => share / total), 1000],
    ['a hundred against few rows', ranked.map((share) => share / total), 120],
  ])('%s: hardly a window does', (_name, shares, referenceRows) => {
    expect(driftedWindows({ seed: 5, shares, referenceRows, windows: 600 })).toBeLessThanOrEqual(4)
  })
})

describe('counts of categories', () => {
  it('put every code that is not known together, and missing values apart', () => {
    const { counts, missing } = countCategories([0, 1, 1, 2, 7, 255, Number.NaN], 2)
    expect([...counts]).toEqual([1, 2, 3])
    expect(missing).toBe(1)
  })

  it('differ by the share of events that changed category, whatever the sizes', () => {
    expect(totalVariation([50, 50], [70, 30])).toBeCloseTo(0.2, 12)
    expect(totalVariation([500, 500, 0], [14, 6, 0])).toBeCloseTo(0.2, 12)
    expect(totalVariation([5, 0], [0, 900])).toBe(1)
  })

  it('have the stability index of their shares: by hand, 0.2 ln(0.7 / 0.5) - 0.2 ln(0.3 / 0.5)', () => {
    const expected = 0.2 * Math.log(0.7 / 0.5) - 0.2 * Math.log(0.3 / 0.5)
    expect(categoryStability([500, 500], [70, 30])).toBeCloseTo(expected, 12)
  })

  it('are pooled where fewer than five are expected in the smaller sample', () => {
    // A window of 100 beside 900 rows: a category needs 50 in both together.
    expect(poolRare([450, 405, 41, 4, 0], [50, 40, 8, 1, 1])).toEqual({
      reference: [450, 405, 45],
      current: [50, 40, 10],
    })
    const nothingRare = poolRare([450, 450], [50, 50])
    expect(nothingRare).toEqual({ reference: [450, 450], current: [50, 50] })
  })
})
