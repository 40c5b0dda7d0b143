import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeRows } from '../../../../src/features/dataset.ts'
import { halvingRounds, partOfRows } from '../../../../src/models/tournament/halving.ts'
import { drawTrials, type SearchPlan } from '../../../../src/models/tournament/search-plan.ts'
import { classifiers } from '../../../support/engine-candidates.ts'
import { clouds } from '../../../support/training-rows.ts'

const forest = classifiers[0]!

const search = (over: SearchPlan['over'], trials: number): SearchPlan => ({ method: 'random', trials, over })

describe('draws of a search', () => {
  it('begin with the candidate as it is, differ from each other, and follow from the seed', () => {
    const plan = search({ maxDepth: { from: 1, to: 30, scale: 'linear', integer: true }, maxBins: [16, 64] }, 8)
    const trials = drawTrials(forest, plan, 3)
    expect(trials.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `histogram#${n}`))
    expect(trials[0]!.parameters).toEqual(forest.parameters)
    expect(new Set(trials.map(({ parameters }) => JSON.stringify(parameters))).size).toBe(8)
    expect(drawTrials(forest, plan, 3)).toEqual(trials)
    expect(drawTrials(forest, plan, 4)).not.toEqual(trials)
  })

  it('end where the values are exhausted', () => {
    expect(drawTrials(forest, search({ bootstrap: [true, false] }, 20), 1)).toHaveLength(2)
  })

  it('stay within their ranges, whole numbers where they are asked for, and reach both ends', () => {
    const numbers = fc.record({
      from: fc.integer({ min: 1, max: 20 }),
      width: fc.integer({ min: 1, max: 4 }),
      scale: fc.constantFrom('linear' as const, 'log' as const),
      integer: fc.boolean(),
    })
    fc.assert(
      fc.property(numbers, fc.nat(), ({ from, width, scale, integer }, seed) => {
        const over = { value: { from, to: from + width, scale, integer } }
        const drawn = drawTrials(forest, search(over, 60), seed)
          .slice(1)
          .map(({ parameters }) => (parameters as unknown as { value: number }).value)
        expect(drawn.every((value) => value >= from && value <= from + width)).toBe(true)
        if (!integer) return
        expect(drawn.every(Number.isInteger)).toBe(true)
        expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([from, from + width])
      }),
      { seed: 3, numRuns: 100 },
    )
  })

  it('spread ratios evenly on a logarithmic scale', () => {
    const over = { value: { from: 0.001, to: 1000, scale: 'log' as const, integer: false } }
    const drawn = drawTrials(forest, search(over, 600), 5).slice(1)
    const below = drawn.filter(({ parameters }) => (parameters as unknown as { value: number }).value < 1).length
    // Half of 599 is expected; 60 either way is five standard deviations.
    expect(Math.abs(below - 299.5)).toBeLessThan(60)
  })
})

describe('successive halving', () => {
  it.each([
    [27, 2700, ['27 of 100', '9 of 300', '3 of 900', '1 of 2700']],
    [9, 300, ['9 of 100', '3 of 100', '1 of 300']],
    [10, 900, ['10 of 100', '4 of 100', '2 of 300', '1 of 900']],
    [1, 500, ['1 of 500']],
    [4, 60, ['4 of 60', '2 of 60', '1 of 60']],
  ])('of %i trials on %i rows', (trials, rows, expected) => {
    expect(halvingRounds(trials, rows).map((round) => `${round.trials} of ${round.rows}`)).toEqual(expected)
  })

  it('takes parts of the rows that keep the classes and lie within each other', () => {
    const dataset = clouds({ rowsPerClass: 100, classes: 3, columns: 2, distance: 1, seed: 1 })
    const scarce = takeRows(
      dataset,
      Array.from({ length: 300 }, (_, row) => row).filter((row) => row % 3 > 0 || row < 12),
    )
    const small = partOfRows(scarce, 51, 3, 9)
    const large = partOfRows(scarce, 102, 3, 9)
    expect(small.every((row, i) => large.includes(row) && (i === 0 || row > small[i - 1]!))).toBe(true)
    const counts = [0, 0, 0]
    for (const row of small) counts[scarce.labels[row]!]!++
    expect(counts).toEqual([3, 25, 25])
  })
})
