import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createForestExplainer } from '../../../../src/models/explain/forest-explainer.ts'
import { ModelNotExplainable } from '../../../../src/models/explain/model-not-explainable.ts'
import { CATEGORY_WORDS, type FlatForest, LEAF } from '../../../../src/models/forest/flat-forest.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import fixture from '../../../fixtures/explain/shap.json' with { type: 'json' }

type ForestCase = (typeof fixture.forests)[number]

const forestOf = ({ forest }: ForestCase): FlatForest => ({
  outputs: forest.outputs,
  roots: Int32Array.from(forest.roots),
  feature: Int32Array.from(forest.feature),
  threshold: Float64Array.from(forest.threshold),
  left: Int32Array.from(forest.left),
  right: Int32Array.from(forest.right),
  missingLeft: Uint8Array.from(forest.missingLeft),
  categorySet: new Int32Array(forest.feature.length).fill(-1),
  categoryWords: new Int32Array(0),
  cover: Float64Array.from(forest.cover),
  leaves: Float64Array.from(forest.leaves),
  combine: { rule: 'mean' },
})

const rowOf = (row: readonly (number | null)[]): Float64Array => Float64Array.from(row, (value) => value ?? Number.NaN)

const greatestDistance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((greatest, value, i) => Math.max(greatest, Math.abs(value - b[i]!)), 0)

describe.each(fixture.forests.map((one) => [one.name, one] as const))('a forest of %s', (_, one) => {
  const explainer = createForestExplainer(forestOf(one), one.columns)
  const out = new Float64Array(one.columns * one.forest.outputs)

  it('has the expected outputs of the shap package', () => {
    expect(greatestDistance(explainer.expected, one.expected)).toBeLessThan(1e-9)
  })

  it('has the contributions of the shap package, which sum to the score', () => {
    expect(one.rows.length).toBeGreaterThan(5)
    one.rows.forEach((row, i) => {
      explainer.explain(rowOf(row), out)
      expect(greatestDistance(out, one.contributions[i]!)).toBeLessThan(1e-9)
      for (let output = 0; output < one.forest.outputs; output++) {
        const sum = out.reduce((total, value, at) => (at % one.forest.outputs === output ? total + value : total), 0)
        expect(Math.abs(sum + explainer.expected[output]! - one.scores[i]![output]!)).toBeLessThan(1e-9)
      }
    })
  })
})

/** A tree as a shape, from which a forest is made. */
type Shape = { leaf: number[] } | { feature: number; split: Split; missingLeft: boolean; left: Shape; right: Shape }
type Split = { threshold: number } | { set: number }

const COLUMNS = 4
/** The last column is a category with six codes. */
const CATEGORY = COLUMNS - 1

const shapes = (outputs: number, depth: number): fc.Arbitrary<{ tree: Shape; weights: number[] }> => {
  const leaf = fc.record({
    leaf: fc.array(fc.integer({ min: -8, max: 8 }), { minLength: outputs, maxLength: outputs }),
  })
  const { tree } = fc.letrec<{ tree: Shape }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', maxDepth: depth },
      leaf,
      fc
        .tuple(fc.nat(COLUMNS - 1), fc.integer({ min: -3, max: 3 }), fc.nat(63), fc.boolean(), tie('tree'), tie('tree'))
        .map(
          ([feature, threshold, set, missingLeft, left, right]): Shape => ({
            feature,
            split: feature === CATEGORY ? { set } : { threshold },
            missingLeft,
            left,
            right,
          }),
        ),
    ),
  }))
  // Weights of leaves; some are 0, as in a tree whose leaf no row of a bootstrap reached.
  return fc.record({ tree, weights: fc.array(fc.nat(5), { minLength: 2 ** depth, maxLength: 2 ** depth }) })
}

const build = (trees: readonly { tree: Shape; weights: number[] }[], outputs: number): FlatForest => {
  const parts = {
    roots: [] as number[],
    feature: [] as number[],
    threshold: [] as number[],
    left: [] as number[],
    right: [] as number[],
    missingLeft: [] as number[],
    categorySet: [] as number[],
    words: [] as number[],
    cover: [] as number[],
    leaves: [] as number[],
  }
  const add = (shape: Shape, weights: Iterator<number>): number => {
    const node = parts.feature.length
    parts.feature.push(LEAF)
    parts.threshold.push(0)
    parts.left.push(0)
    parts.right.push(0)
    parts.missingLeft.push(0)
    parts.categorySet.push(-1)
    parts.cover.push(0)
    if ('leaf' in shape) {
      parts.left[node] = parts.leaves.length / outputs
      parts.leaves.push(...shape.leaf)
      parts.cover[node] = weights.next().value ?? 1
      return node
    }
    parts.feature[node] = shape.feature
    parts.missingLeft[node] = shape.missingLeft ? 1 : 0
    if ('set' in shape.split) {
      parts.categorySet[node] = parts.words.length
      parts.words.push(shape.split.set, ...new Array<number>(CATEGORY_WORDS - 1).fill(0))
    } else parts.threshold[node] = shape.split.threshold
    // The right side first: the order of nodes is not that of the explainer.
    parts.right[node] = add(shape.right, weights)
    parts.left[node] = add(shape.left, weights)
    parts.cover[node] = parts.cover[parts.left[node]!]! + parts.cover[parts.right[node]!]!
    return node
  }
  for (const { tree, weights } of trees) parts.roots.push(add(tree, weights[Symbol.iterator]()))
  return {
    outputs,
    roots: Int32Array.from(parts.roots),
    feature: Int32Array.from(parts.feature),
    threshold: Float64Array.from(parts.threshold),
    left: Int32Array.from(parts.left),
    right: Int32Array.from(parts.right),
    missingLeft: Uint8Array.from(parts.missingLeft),
    categorySet: Int32Array.from(parts.categorySet),
    categoryWords: Int32Array.from(parts.words),
    cover: Float64Array.from(parts.cover),
    leaves: Float64Array.from(parts.leaves),
    combine: { rule: 'mean' },
  }
}

/** What a tree gives where only the features of `known` are told, by its definition. */
const coalitionValue = (forest: FlatForest, node: number, row: Float64Array, known: number, output: number): number => {
  const feature = forest.feature[node]!
  if (feature === LEAF) return forest.leaves[forest.left[node]! * forest.outputs + output]!
  const left = forest.left[node]!
  const right = forest.right[node]!
  if ((known >> feature) & 1) {
    const value = row[feature]!
    const set = forest.categorySet[node]!
    const missing = Number.isNaN(value) || (set >= 0 && value > 255)
    const goesLeft = missing
      ? forest.missingLeft[node] === 1
      : set < 0
        ? value <= forest.threshold[node]!
        : ((forest.categoryWords[set]! >> value) & 1) === 1
    return coalitionValue(forest, goesLeft ? left : right, row, known, output)
  }
  const all = forest.cover[left]! + forest.cover[right]!
  const share = all === 0 ? 0.5 : forest.cover[left]! / all
  return (
    share * coalitionValue(forest, left, row, known, output) +
    (1 - share) * coalitionValue(forest, right, row, known, output)
  )
}

const forestValue = (forest: FlatForest, row: Float64Array, known: number, output: number): number =>
  forest.roots.reduce((sum, root) => sum + coalitionValue(forest, root, row, known, output), 0) / forest.roots.length

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))

/** The Shapley value by its definition: a weighted mean over all coalitions of the other features. */
const shapley = (forest: FlatForest, row: Float64Array, feature: number, output: number): number => {
  let sum = 0
  for (let known = 0; known < 2 ** COLUMNS; known++) {
    if ((known >> feature) & 1) continue
    const size = known.toString(2).replaceAll('0', '').length
    const weight = (factorial(size) * factorial(COLUMNS - 1 - size)) / factorial(COLUMNS)
    sum += weight * (forestValue(forest, row, known | (1 << feature), output) - forestValue(forest, row, known, output))
  }
  return sum
}

const values = fc.constantFrom(-9, -3, -1, 0, 1, 2, 3, 9, Number.NaN, Number.POSITIVE_INFINITY)
const rows = fc
  .tuple(values, values, values, fc.constantFrom(0, 1, 2, 3, 4, 5, 300, Number.NaN))
  .map((row) => Float64Array.from(row))

const hasCover = (forest: FlatForest): boolean =>
  forest.roots.every((root) => forest.feature[root] === LEAF || forest.cover[root]! > 0)

describe('contributions', () => {
  it('are the Shapley values of the trees, by definition', () => {
    let explained = 0
    fc.assert(
      fc.property(fc.array(shapes(2, 5), { minLength: 1, maxLength: 3 }), rows, (trees, row) => {
        const forest = build(trees, 2)
        fc.pre(hasCover(forest))
        explained++
        const out = new Float64Array(COLUMNS * 2)
        createForestExplainer(forest, COLUMNS).explain(row, out)
        for (let feature = 0; feature < COLUMNS; feature++) {
          for (let output = 0; output < 2; output++) {
            expect(Math.abs(out[feature * 2 + output]! - shapley(forest, row, feature, output))).toBeLessThan(1e-12)
          }
        }
      }),
      { seed: 11, numRuns: 300 },
    )
    expect(explained).toBe(300)
  })

  it('sum to the score less the expectation in deep trees, far into the tail of the weights', () => {
    const columns = 60
    const outputs = 1
    // A tree that asks another feature at every level: the longest ways there are.
    const chain = (depth: number): Shape =>
      depth === columns
        ? { leaf: [7] }
        : {
            feature: depth,
            split: { threshold: 0 },
            missingLeft: true,
            left: chain(depth + 1),
            right: { leaf: [depth] },
          }
    const forest = build([{ tree: chain(0), weights: Array.from({ length: 99 }, (_, i) => 1 + (i % 7)) }], outputs)
    const explainer = createForestExplainer(forest, columns)
    const out = new Float64Array(columns)
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-1, 1, Number.NaN), { minLength: columns, maxLength: columns }), (row) => {
        const features = Float64Array.from(row)
        explainer.explain(features, out)
        const first = row.indexOf(1)
        const score = first < 0 ? 7 : first
        const sum = out.reduce((total, value) => total + value, 0)
        expect(Math.abs(sum + explainer.expected[0]! - score)).toBeLessThan(1e-9)
      }),
      { seed: 12, numRuns: 100 },
    )
  })

  it('of a feature that no tree asks for, and of a forest of leaves, are 0', () => {
    const split: Shape = {
      feature: 1,
      split: { threshold: 0 },
      missingLeft: true,
      left: { leaf: [1] },
      right: { leaf: [3] },
    }
    const explainer = createForestExplainer(build([{ tree: split, weights: [3, 1] }], 1), COLUMNS)
    const out = new Float64Array(COLUMNS).fill(Number.NaN)
    explainer.explain(Float64Array.of(9, 9, 9, 9), out)
    expect([...explainer.expected]).toEqual([2.5])
    expect([...out]).toEqual([0, 0.5, 0, 0])

    const leaf = createForestExplainer(build([{ tree: { leaf: [5] }, weights: [1] }], 1), COLUMNS)
    leaf.explain(Float64Array.of(9, 9, 9, 9), out)
    expect([...leaf.expected]).toEqual([5])
    expect([...out]).toEqual([0, 0, 0, 0])
  })

  it('are read and written where they are told to', () => {
    const one = fixture.forests[0]!
    const explainer = createForestExplainer(forestOf(one), one.columns)
    const size = one.columns * one.forest.outputs
    const alone = new Float64Array(size)
    explainer.explain(rowOf(one.rows[1]!), alone)
    const block = new Float64Array(3 * size).fill(7)
    explainer.explain(rowOf(one.rows.flat()), block, one.columns, size)
    expect([...block.subarray(size, 2 * size)]).toEqual([...alone])
    expect(new Set([...block.subarray(0, size), ...block.subarray(2 * size)])).toEqual(new Set([7]))
  })

  it('of a sum of trees begin at its base and are those of the margin', () => {
    const one = fixture.forests[2]!
    const mean = forestOf(one)
    const trees = mean.roots.length
    const sum: FlatForest = { ...mean, combine: { rule: 'sum', base: [10], transform: 'none' } }
    const row = rowOf(one.rows[0]!)
    const ofMean = new Float64Array(one.columns)
    const ofSum = new Float64Array(one.columns)
    createForestExplainer(mean, one.columns).explain(row, ofMean)
    const explainer = createForestExplainer(sum, one.columns)
    explainer.explain(row, ofSum)
    expect(explainer.expected[0]).toBeCloseTo(10 + trees * one.expected[0]!, 8)
    expect(
      greatestDistance(
        ofSum,
        ofMean.map((value) => value * trees),
      ),
    ).toBeLessThan(1e-9)
  })
})

describe('a forest that cannot be explained', () => {
  const sound = forestOf(fixture.forests[0]!)
  const columns = fixture.forests[0]!.columns

  it('for want of counts is refused with the reason', () => {
    const uncounted = { ...sound, cover: new Float64Array(sound.cover.length) }
    expect(() => createForestExplainer(uncounted, columns)).toThrow(ModelNotExplainable)
    expect(() => createForestExplainer(uncounted, columns)).toThrow(/counts/)
  })

  it('because it would take too much memory is refused before it takes any', () => {
    // A tree that asks another of 30,000 features at every split of one long way.
    const splits = 30_000
    const nodes = 2 * splits + 1
    const arrayOf = (value: (node: number) => number): number[] =>
      Array.from({ length: nodes }, (_, node) => value(node))
    const long: FlatForest = {
      outputs: 1,
      roots: Int32Array.of(0),
      feature: Int32Array.from(arrayOf((node) => (node < splits ? node : LEAF))),
      threshold: new Float64Array(nodes),
      left: Int32Array.from(arrayOf((node) => (node < splits ? splits + 1 + node : 0))),
      right: Int32Array.from(arrayOf((node) => (node < splits ? node + 1 : 0))),
      missingLeft: new Uint8Array(nodes),
      categorySet: new Int32Array(nodes).fill(-1),
      categoryWords: new Int32Array(0),
      cover: Float64Array.from(arrayOf((node) => (node < splits ? splits - node + 1 : 1))),
      leaves: Float64Array.of(1),
      combine: { rule: 'mean' },
    }
    expect(() => createForestExplainer(long, splits)).toThrow(ModelNotExplainable)
    expect(() => createForestExplainer(long, splits)).toThrow(/too large/)
  })

  it('because its nodes are no trees is refused as corrupt', () => {
    const shared = Int32Array.from(sound.left)
    shared[sound.roots[0]!] = sound.right[sound.roots[0]!]!
    expect(() => createForestExplainer({ ...sound, left: shared }, columns)).toThrow(ArtefactCorrupt)
    const loop = Int32Array.from(sound.right)
    loop[sound.roots[0]!] = 0
    expect(() => createForestExplainer({ ...sound, right: loop }, columns)).toThrow(ArtefactCorrupt)
    const negative = sound.cover.map((cover) => -cover)
    expect(() => createForestExplainer({ ...sound, cover: negative }, columns)).toThrow()
  })
})
