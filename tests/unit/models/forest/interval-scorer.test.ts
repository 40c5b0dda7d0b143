import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../../../src/features/random.ts'
import type { FamilyScorer } from '../../../../src/models/family-scorer.ts'
import type { FlatForest } from '../../../../src/models/forest/flat-forest.ts'
import { openForest } from '../../../../src/models/forest/forest-scorer.ts'
import { packForest } from '../../../../src/models/forest/forest-sections.ts'
import { kernelMemories } from '../../../../src/models/forest/kernel/kernel-memory.ts'
import { createSections } from '../../../../src/models/sections.ts'
import { type SampleForest, sampleForest } from '../../../support/sample-forest.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** So many rows that masks are made before the last of them. */
const MANY_ROWS = 16_384

const VALUES = [-1, -0.5, 0, -0, 0.25, 0.5, 1, 5e-324, 1e-310, 0.3, 2, 1e300, -1e300, Infinity, -Infinity, NaN]

const drawRows = (seed: number, columns: number): Float64Array => {
  const random = createRandom(seed, 'rows')
  return Float64Array.from({ length: MANY_ROWS * columns }, () =>
    random.below(2) === 0 ? VALUES[random.below(VALUES.length)]! : random.next() * 4 - 2,
  )
}

const open = (forest: FlatForest, columns: number): FamilyScorer => {
  const kind = forest.outputs === 1 ? 'regression' : 'classification'
  return openForest(createSections(packForest(forest)), { kind, columns, outputs: forest.outputs })
}

/** Scores the rows by walking, and again with what is used after many rows. */
const scoreBothWays = (drawn: SampleForest) => {
  const columns = drawn.categories.length
  const forest = sampleForest(drawn)
  const { outputs } = forest
  const take = vi.spyOn(kernelMemories, 'take')
  const score = open(forest, columns)
  const rows = drawRows(drawn.seed, columns)
  const [walked, after, single] = [0, 1, 2].map(() => new Float64Array(MANY_ROWS * outputs))
  score(rows, 0, MANY_ROWS - 1, walked!, 0)
  const memories = take.mock.calls.length
  score(rows, 0, MANY_ROWS - 1, after!, 0)
  for (let row = 0; row < 40; row++) score(rows, row * columns, 1, single!, row * outputs)
  const usesIntervals = take.mock.calls.length > memories
  take.mockRestore()
  return { walked: walked!, after: after!, single: single!.subarray(0, 40 * outputs), usesIntervals }
}

const bits = (values: Float64Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

const sample = (changes: Partial<SampleForest>): SampleForest => ({
  ...{ seed: 7, outputs: 3, trees: 9, maxDepth: 8, categories: [0, 0, 0], combine: { rule: 'mean' } },
  ...changes,
})

describe('masks of intervals', () => {
  it('give the bits that a walk gives, for any forest and any rows', () => {
    let used = 0
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          outputs: fc.constantFrom(1, 2, 3, 16, 17),
          trees: fc.integer({ min: 1, max: 20 }),
          maxDepth: fc.integer({ min: 0, max: 9 }),
          features: fc.integer({ min: 1, max: 13 }),
        }),
        ({ features, ...drawn }) => {
          const categories = Array.from({ length: features }, () => 0)
          const { walked, after, single, usesIntervals } = scoreBothWays(sample({ ...drawn, categories }))
          expect(bits(after).equals(bits(walked))).toBe(true)
          expect(bits(single).equals(bits(walked.subarray(0, single.length)))).toBe(true)
          if (usesIntervals) used++
        },
      ),
      { seed: 42, numRuns: 60 },
    )
    expect(used).toBeGreaterThan(20)
  })

  it('serve a forest of small trees, and not one with many features, outputs or category sets', () => {
    expect(scoreBothWays(sample({})).usesIntervals).toBe(true)
    expect(scoreBothWays(sample({ categories: new Array(40).fill(0), trees: 30 })).usesIntervals).toBe(false)
    expect(scoreBothWays(sample({ outputs: 17 })).usesIntervals).toBe(false)
    expect(scoreBothWays(sample({ categories: [0, 255, 255] })).usesIntervals).toBe(false)
    expect(scoreBothWays(sample({ maxDepth: 0 })).usesIntervals).toBe(false)
  })

  it('are those of the model that was loaded, whatever becomes of its bytes', () => {
    const forest = sampleForest(sample({}))
    const arrays = packForest(forest)
    const shape = { kind: 'classification', columns: 3, outputs: 3 } as const
    const score = openForest(createSections(arrays), shape)
    const rows = drawRows(7, 3)
    const [walked, after] = [new Float64Array(MANY_ROWS * 3), new Float64Array(MANY_ROWS * 3)]
    score(rows, 0, MANY_ROWS - 1, walked, 0)
    for (const { name, values } of arrays) if (name === 'nodes' || name === 'leaves' || name === 'roots') values.fill(0)
    score(rows, 0, MANY_ROWS - 1, after, 0)
    expect(bits(after).equals(bits(walked))).toBe(true)
  })
})
