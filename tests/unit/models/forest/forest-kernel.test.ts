import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../../../src/features/random.ts'
import type { ModelKind } from '../../../../src/models/candidate.ts'
import type { FamilyScorer } from '../../../../src/models/family-scorer.ts'
import type { FlatForest, ForestCombination } from '../../../../src/models/forest/flat-forest.ts'
import { openForest } from '../../../../src/models/forest/forest-scorer.ts'
import { packForest } from '../../../../src/models/forest/forest-sections.ts'
import { kernelMemories } from '../../../../src/models/forest/kernel/kernel-memory.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { type SampleForest, sampleForest, scoreNaively } from '../../../support/sample-forest.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const open = (forest: FlatForest, kind: ModelKind, columns: number): FamilyScorer =>
  openForest(createSections(packForest(forest)), { kind, columns, outputs: forest.outputs })

/** The same without memory for the kernel, as on a machine that has no addresses to spare. */
const openWithoutKernel = (forest: FlatForest, kind: ModelKind, columns: number): FamilyScorer => {
  const take = vi.spyOn(kernelMemories, 'take').mockReturnValue(null)
  const score = open(forest, kind, columns)
  take.mockRestore()
  return score
}

const VALUES = [-1, -0.5, 0, -0, 0.25, 0.5, 1, 5e-324, 1e-310, 0.3, 2, 1e300, -1e300, Infinity, -Infinity, NaN]
const CODES = [0, 1, 2, 31, 32, 63, 200, 254, 255, 256, 1e9, -1, 0.5, NaN, Infinity, -Infinity]

const drawRows = (sample: SampleForest, rows: number): Float64Array => {
  const random = createRandom(sample.seed, 'rows')
  const { categories } = sample
  return Float64Array.from({ length: rows * categories.length }, (_, at) => {
    const pool = categories[at % categories.length]! > 0 ? CODES : VALUES
    return pool[random.below(pool.length)]!
  })
}

const scoreAll = (score: FamilyScorer, rows: Float64Array, count: number, outputs: number): Float64Array => {
  const out = new Float64Array(count * outputs).fill(Number.NaN)
  score(rows, 0, count, out, 0)
  return out
}

const combinations = (outputs: number): fc.Arbitrary<ForestCombination> =>
  fc.oneof(
    fc.constant({ rule: 'mean' } as const),
    fc.record({
      rule: fc.constant('sum' as const),
      base: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: outputs, maxLength: outputs }),
      transform: fc.constantFrom('none' as const, 'softmax' as const, 'logistic' as const),
    }),
  )

const cases = fc.integer({ min: 1, max: 20 }).chain((outputs) =>
  fc.record({
    outputs: fc.constant(outputs),
    combine: combinations(outputs),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    trees: fc.integer({ min: 1, max: 27 }),
    maxDepth: fc.integer({ min: 0, max: 8 }),
    categories: fc.array(fc.constantFrom(0, 0, 255), { minLength: 1, maxLength: 6 }),
    rows: fc.constantFrom(1, 2, 8, 9, 15, 16, 17, 31, 40, 255, 256, 257, 300),
  }),
)

describe('the kernel', () => {
  it('gives what the definition of a forest gives, for any forest and any rows', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { outputs, rows: count } = drawn
        const kind = outputs === 1 ? 'regression' : 'classification'
        const forest = sampleForest(drawn)
        const columns = drawn.categories.length
        const rows = drawRows(drawn, count)
        const scored = scoreAll(open(forest, kind, columns), rows, count, outputs)
        let furthest = 0
        for (let row = 0; row < count; row++) {
          const expected = scoreNaively(forest, rows.subarray(row * columns, (row + 1) * columns), kind)
          expected.forEach((value, o) => {
            const apart = Math.abs(scored[row * outputs + o]! - value) / Math.max(1, Math.abs(value))
            if (!(apart <= furthest)) furthest = apart
          })
        }
        expect(furthest).toBeLessThanOrEqual(1e-12)
      }),
      { seed: 1, numRuns: 150 },
    )
  })

  it('gives a row the same bits alone, in any block, at any place, and without the kernel', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 40 }), (drawn, cut) => {
        const { outputs, rows: count } = drawn
        const kind = outputs === 1 ? 'regression' : 'classification'
        const forest = sampleForest(drawn)
        const columns = drawn.categories.length
        const rows = drawRows(drawn, count)
        const score = open(forest, kind, columns)
        const together = scoreAll(score, rows, count, outputs)
        const alone = new Float64Array(count * outputs)
        for (let row = 0; row < count; row++) score(rows, row * columns, 1, alone, row * outputs)
        expect(alone).toEqual(together)
        const inParts = new Float64Array(count * outputs)
        for (let row = 0; row < count; row += cut) {
          score(rows, row * columns, Math.min(cut, count - row), inParts, row * outputs)
        }
        expect(inParts).toEqual(together)
        expect(scoreAll(openWithoutKernel(forest, kind, columns), rows, count, outputs)).toEqual(together)
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  it('writes nothing but the outputs of its rows', () => {
    const forest = sampleForest({ seed: 3, trees: 5, maxDepth: 4, categories: [0, 0], outputs: 3 })
    const score = open(forest, 'classification', 2)
    const rows = new Float64Array(40)
    for (const count of [0, 1, 9, 20]) {
      const out = new Float64Array(64).fill(-1)
      score(rows, 0, count, out, 2)
      expect(out.subarray(0, 2).every((value) => value === -1)).toBe(true)
      expect(out.subarray(2 + count * 3).every((value) => value === -1)).toBe(true)
      expect(out.subarray(2, 2 + count * 3).every((value) => value >= 0)).toBe(true)
    }
    expect(rows.every((value) => value === 0)).toBe(true)
  })

  it('gives the same in memory that another model has used', () => {
    const sample = { seed: 8, trees: 5, maxDepth: 5, categories: [0, 0, 0], outputs: 3 }
    const rows = drawRows(sample, 21)
    const fresh = open(sampleForest(sample), 'classification', 3)
    const expected = scoreAll(fresh, rows, 21, 3)
    const used = kernelMemories.take(65_536)!
    new Uint8Array(used.buffer).fill(0xff)
    kernelMemories.giveBack(used)
    const score = open(sampleForest(sample), 'classification', 3)
    // It is taken: nothing of 0xff is left where the nodes begin.
    expect(new Uint8Array(used.buffer)[0]).not.toBe(0xff)
    expect(scoreAll(score, rows, 21, 3)).toEqual(expected)
    const alone = new Float64Array(3)
    score(rows, 0, 1, alone, 0)
    expect(alone).toEqual(expected.slice(0, 3))
  })

  it('scores two forests side by side', () => {
    const samples = [4, 5].map((seed) => ({ seed, trees: 6, maxDepth: 5, categories: [0, 0, 0], outputs: 2 }))
    const forests = samples.map(sampleForest)
    const scorers = forests.map((forest) => open(forest, 'classification', 3))
    const rows = drawRows(samples[0]!, 20)
    const first = scorers.map((score) => scoreAll(score, rows, 20, 2))
    const again = scorers.map((score) => scoreAll(score, rows, 20, 2))
    expect(again).toEqual(first)
    expect(first[0]).not.toEqual(first[1])
  })
})

it('walks a forest that has more columns than its trees have steps', () => {
  const take = vi.spyOn(kernelMemories, 'take')
  // A category set of its own at every split.
  const sample = { seed: 6, trees: 3, maxDepth: 10, categories: [255], outputs: 2 }
  const forest = sampleForest(sample)
  const rows = drawRows(sample, 64)
  const scored = scoreAll(open(forest, 'classification', 1), rows, 64, 2)
  expect(take).not.toHaveBeenCalled()
  for (let row = 0; row < 64; row++) {
    const expected = scoreNaively(forest, rows.subarray(row, row + 1), 'classification')
    expect([...scored.subarray(row * 2, row * 2 + 2)]).toEqual(expected)
  }
})
