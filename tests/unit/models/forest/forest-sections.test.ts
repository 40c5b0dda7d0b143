import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { CATEGORY_WORDS, type FlatForest, LEAF } from '../../../../src/models/forest/flat-forest.ts'
import { openForest } from '../../../../src/models/forest/forest-scorer.ts'
import { flatForestOf, packForest } from '../../../../src/models/forest/forest-sections.ts'
import { kernelMemories } from '../../../../src/models/forest/kernel/kernel-memory.ts'
import { shareLeaves } from '../../../../src/models/forest/share-leaves.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import { createSections, type NamedArray, packSections, unpackSections } from '../../../../src/models/sections.ts'
import { sampleForest } from '../../../support/sample-forest.ts'

type Tree =
  | { cover: number; leaf: number[] }
  | { cover: number; feature: number; missingLeft: number; splitBy: number | string; left: Tree; right: Tree }

/** A tree without the numbers of its nodes. */
const treeOf = (forest: FlatForest, node: number): Tree => {
  const { outputs, feature, threshold, left, right, missingLeft, categorySet, categoryWords, cover, leaves } = forest
  if (feature[node] === LEAF) {
    return { cover: cover[node]!, leaf: [...leaves.subarray(left[node]! * outputs, (left[node]! + 1) * outputs)] }
  }
  const set = categorySet[node]!
  return {
    cover: cover[node]!,
    feature: feature[node]!,
    missingLeft: missingLeft[node]!,
    splitBy: set < 0 ? threshold[node]! : String(categoryWords.subarray(set, set + CATEGORY_WORDS)),
    left: treeOf(forest, left[node]!),
    right: treeOf(forest, right[node]!),
  }
}

const treesOf = (forest: FlatForest): Tree[] => Array.from(forest.roots, (root) => treeOf(forest, root))

const stored = (arrays: readonly NamedArray[]) => {
  const { binary, sections } = packSections(arrays)
  return unpackSections(binary, sections)
}

/** Where there is no memory for the kernel, which checks nodes in its own way, they are checked here. */
const withoutKernel = <T>(open: () => T): T => {
  const take = vi.spyOn(kernelMemories, 'take').mockReturnValue(null)
  try {
    return open()
  } finally {
    take.mockRestore()
  }
}

const samples = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  trees: fc.integer({ min: 1, max: 8 }),
  maxDepth: fc.integer({ min: 0, max: 7 }),
  categories: fc.array(fc.constantFrom(0, 0, 255), { minLength: 1, maxLength: 5 }),
  outputs: fc.integer({ min: 1, max: 4 }),
})

describe('a packed forest', () => {
  it('is the same forest again: trees, thresholds, covers, category sets, leaves', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const forest = sampleForest(sample)
        const shape = { columns: sample.categories.length, outputs: sample.outputs }
        const again = flatForestOf(stored(packForest(forest)), shape)
        expect(treesOf(again)).toEqual(treesOf(forest))
        expect(again.combine).toEqual(forest.combine)
        // Packed once more it gives the same bytes.
        expect(packSections(packForest(again))).toEqual(packSections(packForest(forest)))
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  it('has its nodes tree by tree, children after their parents', () => {
    const sample = { seed: 2, trees: 5, maxDepth: 6, categories: [0, 0, 255], outputs: 3 }
    const { roots, feature, left, right } = flatForestOf(stored(packForest(sampleForest(sample))), {
      columns: 3,
      outputs: 3,
    })
    const treeAt = (node: number): number => roots.findLastIndex((root) => root <= node)
    feature.forEach((column, node) => {
      if (column === LEAF) return
      for (const child of [left[node]!, right[node]!]) {
        expect(child).toBeGreaterThan(node)
        expect(treeAt(child)).toBe(treeAt(node))
      }
    })
  })

  it.each<FlatForest['combine']>([
    { rule: 'mean' },
    { rule: 'sum', base: [0.5, 0.25], transform: 'none' },
    { rule: 'sum', base: [-1, 2], transform: 'softmax' },
    { rule: 'sum', base: [0, 0], transform: 'logistic' },
  ])('keeps how its leaves are combined: $rule $transform', (combine) => {
    const forest = sampleForest({ seed: 3, trees: 2, maxDepth: 3, categories: [0], outputs: 2, combine })
    expect(flatForestOf(stored(packForest(forest)), { columns: 1, outputs: 2 }).combine).toEqual(combine)
  })

  it('stores equal rows of leaves once, and others apart', () => {
    const outputs = 2
    const rows = [
      [0, 1],
      [1, 0],
      [0, 1],
      [-0, 1],
      [0.5, 0.5],
      [1, 0],
      [0.5, 0.5 + 2 ** -53],
    ]
    const { leaves, rowOf } = shareLeaves(Float64Array.from(rows.flat()), outputs)
    expect([...rowOf]).toEqual([0, 1, 0, 2, 3, 1, 4])
    rows.forEach((row, i) => {
      const at = rowOf[i]! * outputs
      expect([...leaves.subarray(at, at + outputs)]).toEqual(row)
    })
    expect(leaves.length).toBe(5 * outputs)
  })

  it('finds equal rows among very many', () => {
    const values = Float64Array.from({ length: 3 * 5000 }, (_, i) => Math.floor(i / 3) % 700)
    const { leaves, rowOf } = shareLeaves(values, 3)
    expect(leaves.length).toBe(3 * 700)
    rowOf.forEach((row, i) => {
      expect(row).toBe(i % 700)
    })
  })

  it('asks for no more than one column per feature and way of a missing value', () => {
    const forest = sampleForest({ seed: 4, trees: 20, maxDepth: 6, categories: [0, 0, 0], outputs: 2 })
    const sections = createSections(packForest(forest))
    expect([...sections.int32('right_features')]).toEqual([0, 1, 2])
    expect([...sections.int32('left_features')]).toEqual([0, 1, 2])
    expect(sections.int32('set_features').length).toBe(0)
  })
})

describe('a stored forest is refused', () => {
  const forest = sampleForest({ seed: 9, trees: 3, maxDepth: 3, categories: [0, 0, 9], outputs: 2, thresholds: [1, 2] })
  const sound = packForest(forest)
  const shape = { kind: 'classification', columns: 3, outputs: 2 } as const
  const NODE_WORDS = 4
  const LEAF_MARK = 0x7ff80000
  const words = sound.find(({ name }) => name === 'nodes')!.values
  const nodes = words.length / NODE_WORDS
  const leafRows = sound.find(({ name }) => name === 'leaves')!.values.length / 2
  const isLeaf = (node: number): boolean => words[node * NODE_WORDS + 1] === LEAF_MARK
  const indices = Array.from({ length: nodes }, (_, node) => node)
  const firstLeaf = indices.find(isLeaf)!
  const firstSplit = indices.find((node) => !isLeaf(node))!
  const lastSplit = indices.findLast((node) => !isLeaf(node))!

  const changed = (name: string, change: (values: NamedArray['values']) => NamedArray['values']): NamedArray[] =>
    sound.map((array) => {
      if (array.name !== name) return array
      const copy = array.values.slice()
      return { name, values: change(copy) }
    })
  const word = (node: number, place: number, value: number): NamedArray[] =>
    changed('nodes', (values) => {
      values[node * NODE_WORDS + place] = value
      return values
    })
  const at = (name: string, place: number, value: number): NamedArray[] =>
    changed(name, (values) => {
      values[place] = value
      return values
    })

  it('never as it was packed', () => {
    expect(() => openForest(stored(sound), shape)).not.toThrow()
    expect(() => flatForestOf(stored(sound), shape)).not.toThrow()
  })

  it.each<[string, NamedArray[]]>([
    ['without trees', changed('roots', () => new Int32Array(0))],
    ['with a first tree that begins later', at('roots', 0, 1)],
    ['with trees in another order', at('roots', 1, 0)],
    ['with a tree beyond the nodes', at('roots', 2, nodes)],
    ['with a tree that ends within a level', at('roots', 1, sound[0]!.values[1]! - 1)],
    ['with part of a node', changed('nodes', (values) => values.slice(0, -1))],
    ['with a node too few', changed('nodes', (values) => values.slice(0, -NODE_WORDS))],
    ['with a node that is its own child', word(firstSplit, 2, firstSplit * 16)],
    ['with a child before its parent', word(lastSplit, 2, 0)],
    ['with children of another split', word(lastSplit, 2, words[firstSplit * NODE_WORDS + 2]!)],
    ['with a child beyond its nodes', word(lastSplit, 2, nodes * 16)],
    ['with a child between two nodes', word(firstSplit, 2, words[firstSplit * NODE_WORDS + 2]! + 8)],
    ['with a leaf that leads elsewhere', word(firstLeaf, 2, (firstLeaf + 1) * 16)],
    ['with a leaf that asks for a column', word(firstLeaf, 3, 128)],
    ['with a leaf in place of a split', word(firstSplit, 1, LEAF_MARK)],
    ['with a leaf that names no row of leaves', word(firstLeaf, 0, leafRows)],
    ['with a leaf that names a negative row', word(firstLeaf, 0, -1)],
    ['with a negative column', word(firstSplit, 3, -128)],
    ['with a column there is not', word(firstSplit, 3, 128 * 100)],
    ['with a column between two', word(firstSplit, 3, 8)],
    ['with a threshold that is no number', word(firstSplit, 1, 0x7ff80001)],
    ['with another NaN as threshold', word(firstSplit, 1, -1)],
    ['that asks for a feature there is not', at('right_features', 0, 3)],
    ['that asks for a negative feature', at('left_features', 0, -1)],
    ['with part of a category set', changed('set_words', (values) => values.slice(1))],
    ['with fewer directions than sets', changed('set_missing_left', (values) => values.slice(1))],
    ['with shares that do not sum to 1', at('leaves', 0, 7)],
    ['with part of a row of leaves', changed('leaves', (values) => values.slice(1))],
    ['without leaves', changed('leaves', () => new Float64Array(0))],
    ['with an unknown combination', at('combine', 0, 4)],
    ['with a negative combination', at('combine', 0, -1)],
    ['with a base that a mean has not', changed('base', () => Float64Array.of(0, 0))],
    ['with a base of another length', changed('combine', () => Int32Array.of(2))],
  ])('%s', (_name, arrays) => {
    expect(() => openForest(stored(arrays), shape)).toThrow(ArtefactCorrupt)
    expect(() => withoutKernel(() => openForest(stored(arrays), shape))).toThrow(ArtefactCorrupt)
  })

  it('with a negative share', () => {
    const shares = changed('leaves', (values) => {
      values[0] = 1.5
      values[1] = -0.5
      return values
    })
    expect(() => openForest(stored(shares), shape)).toThrow(ArtefactCorrupt)
  })

  it('with a negative weight where weights are divided by their sum, but not where they are powers', () => {
    const weights = (rule: number): NamedArray[] =>
      changed('leaves', (values) => {
        values[0] = -0.5
        return values
      }).map((array) => {
        if (array.name === 'combine') return { ...array, values: Int32Array.of(rule) }
        return array.name === 'base' ? { ...array, values: new Float64Array(2) } : array
      })
    expect(() => openForest(stored(weights(1)), shape)).toThrow(ArtefactCorrupt)
    expect(() => openForest(stored(weights(2)), shape)).not.toThrow()
    expect(() => openForest(stored(weights(3)), shape)).not.toThrow()
  })

  it('with a negative cover, by those who read it', () => {
    expect(() => flatForestOf(stored(at('cover', 1, -1)), shape)).toThrow(ArtefactCorrupt)
  })
})

it('the kernel’s check and the other one refuse the same nodes, whatever is in them', () => {
  const sound = packForest(sampleForest({ seed: 7, trees: 3, maxDepth: 3, categories: [0, 0], outputs: 2 }))
  const nodes = sound.find(({ name }) => name === 'nodes')!.values
  const outcomes = { refused: 0, opened: 0 }
  const word = fc.oneof(
    fc.constantFrom(0, 1, -1, 16, 32, 48, 128, 256, 384, 512, 0x7ff80000, 0x7ff00000, -0x80000000, 0x3ff00000),
    fc.integer({ min: 0, max: 60 }).map((node) => node * 16),
    fc.integer(),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: nodes.length - 1 }), word), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const words = nodes.slice()
        for (const [at, value] of changes) words[at] = value
        const arrays = sound.map((array) => (array.name === 'nodes' ? { ...array, values: words } : array))
        const verdictOf = (open: () => unknown): string => {
          try {
            open()
            return 'opened'
          } catch (error) {
            expect(error).toBeInstanceOf(ArtefactCorrupt)
            return (error as ArtefactCorrupt).message
          }
        }
        const openIt = () => openForest(createSections(arrays), { kind: 'classification', columns: 2, outputs: 2 })
        const verdict = verdictOf(openIt)
        expect(verdictOf(() => withoutKernel(openIt))).toBe(verdict)
        outcomes[verdict === 'opened' ? 'opened' : 'refused']++
      },
    ),
    { seed: 1, numRuns: 3000 },
  )
  expect(Math.min(outcomes.refused, outcomes.opened)).toBeGreaterThan(100)
})

describe('a stored forest with any bytes in it', () => {
  it('is refused, or gives finite probabilities that sum to 1', () => {
    const sample = { seed: 5, trees: 4, maxDepth: 4, categories: [0, 255, 0], outputs: 3 }
    const sound = packForest(sampleForest(sample))
    const rows = Float64Array.of(0, 3, 1, NaN, NaN, NaN, Infinity, 1e9, -Infinity, -1, 254, 5e-324)
    const outcomes = { refused: 0, scored: 0 }
    const damage = fc.record({
      section: fc.nat({ max: sound.length - 1 }),
      at: fc.nat(),
      value: fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0x7ff80000, 16, 128, -1, 1e308, 0.5)),
      cut: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 9 }) }),
    })
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const arrays = sound.map(({ name, values }) => ({ name, values: values.slice() }))
        for (const { section, at, value, cut } of damages) {
          const array = arrays[section]!
          if (array.values.length > 0) array.values[at % array.values.length] = value
          array.values = array.values.slice(0, array.values.length - cut)
        }
        const openIt = () => openForest(stored(arrays), { kind: 'classification', columns: 3, outputs: 3 })
        let score: ReturnType<typeof openForest>
        try {
          score = openIt()
        } catch (error) {
          expect(error).toBeInstanceOf(ArtefactCorrupt)
          expect(() => withoutKernel(openIt)).toThrow(ArtefactCorrupt)
          outcomes.refused++
          return
        }
        outcomes.scored++
        expect(withoutKernel(openIt)).toBeDefined()
        const out = new Float64Array(12)
        score(rows, 0, 4, out, 0)
        for (let row = 0; row < 12; row += 3) {
          const probabilities = out.subarray(row, row + 3)
          expect(probabilities.every((p) => p >= 0 && p <= 1 + 1e-9)).toBe(true)
          expect(Math.abs(probabilities.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-9)
        }
      }),
      { seed: 1, numRuns: 600 },
    )
    expect(Math.min(outcomes.refused, outcomes.scored)).toBeGreaterThan(50)
  })

  it('of a sum is refused, or gives finite probabilities that sum to 1', () => {
    for (const transform of ['none', 'softmax', 'logistic'] as const) {
      const combine = { rule: 'sum', base: [0, 0.5], transform } as const
      const sound = packForest(sampleForest({ seed: 6, trees: 3, maxDepth: 3, categories: [0], outputs: 2, combine }))
      const value = fc.oneof(fc.double(), fc.constantFrom(1e100, -1e100, 0, -0, 5e-324, -745, 800))
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 30 }), fc.double(), (changes, x) => {
          const arrays = sound.map(({ name, values }) => ({ name, values: values.slice() }))
          const leaves = arrays.find(({ name }) => name === 'leaves')!.values
          for (const [at, weight] of changes) leaves[at % leaves.length] = weight
          const out = new Float64Array(2)
          try {
            openForest(createSections(arrays), { kind: 'classification', columns: 1, outputs: 2 })(
              Float64Array.of(x),
              0,
              1,
              out,
              0,
            )
          } catch (error) {
            expect(error).toBeInstanceOf(ArtefactCorrupt)
            return
          }
          expect(out.every((p) => p >= 0 && p <= 1)).toBe(true)
          expect(Math.abs(out[0]! + out[1]! - 1)).toBeLessThan(1e-9)
        }),
        { seed: 1, numRuns: 200 },
      )
    }
  })
})
