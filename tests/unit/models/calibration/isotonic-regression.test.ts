import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitIsotonic, type IsotonicBlock } from '../../../../src/models/calibration/isotonic-regression.ts'
import fixture from '../../../fixtures/models/scores.json' with { type: 'json' }

/** Straight between blocks, level outside, as scikit-learn predicts. */
const valueAt = (blocks: readonly IsotonicBlock[], x: number): number => {
  const next = blocks.findIndex(({ to }) => x <= to)
  if (next < 0) return blocks.at(-1)!.value
  const { from, value } = blocks[next]!
  if (next === 0 || x >= from) return value
  const before = blocks[next - 1]!
  return before.value + ((x - before.to) / (from - before.to)) * (value - before.value)
}

describe('the fit is that of scikit-learn', () => {
  it.each(fixture.isotonic.map((expected, i) => [i, expected] as const))('case %i', (_, { x, y, at, value }) => {
    const blocks = fitIsotonic(Float64Array.from(x), Float64Array.from(y))
    at.forEach((point, i) => {
      expect(valueAt(blocks, point)).toBeCloseTo(value[i]!, 9)
    })
  })
})

it('rises from block to block, covers every row once, and keeps the mean', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3 })), { minLength: 1 })
  fc.assert(
    fc.property(rows, (pairs) => {
      const x = Float64Array.from(pairs, ([value]) => value)
      const y = Float64Array.from(pairs, ([, value]) => value)
      const blocks = fitIsotonic(x, y)
      const total = blocks.reduce((sum, block) => sum + block.value * block.rows, 0)
      expect(total).toBeCloseTo(
        y.reduce((sum, value) => sum + value, 0),
        9,
      )
      blocks.forEach((block, i) => {
        const inside = x.filter((value) => value >= block.from && value <= block.to)
        expect(inside).toHaveLength(block.rows)
        if (i === 0) return
        expect(block.from).toBeGreaterThan(blocks[i - 1]!.to)
        expect(block.value).toBeGreaterThan(blocks[i - 1]!.value)
      })
    }),
    { seed: 5, numRuns: 300 },
  )
})
