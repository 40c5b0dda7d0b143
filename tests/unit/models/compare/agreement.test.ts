import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countClassAgreement, countNumberAgreement, type Opinion } from '../../../../src/models/compare/agreement.ts'
import { alignClasses } from '../../../../src/models/compare/align-classes.ts'

const said = (prediction: string, probabilities: readonly number[] = []): Opinion => ({
  prediction,
  probabilities,
  value: null,
})
const number = (value: number | null): Opinion => ({ prediction: String(value), probabilities: [], value })

describe('the agreement on classes', () => {
  test('counts equal classes, each pair of classes, and how far the probabilities are apart', () => {
    const aligned = alignClasses(['low', 'mid', 'high'], ['high', 'low'])
    const count = countClassAgreement(['low', 'mid', 'high'])
    count.add(said('low', [0.7, 0.2, 0.1]), said('low', [0.4, 0.6]), aligned)
    count.add(said('mid', [0.1, 0.8, 0.1]), said('high', [0.9, 0.1]), aligned)
    count.add(said('high', [0, 0, 1]), said('high', [1, 0]), aligned)
    // The model of this one is gone: nobody knows the order of its probabilities.
    count.add(said('mid', [0.1, 0.8, 0.1]), said('low', [0, 1]), null)
    const result = count.result()
    expect(result).toMatchObject({
      kind: 'classification',
      ...{ rows: 4, equal: 2, share_equal: 0.5 },
      classes: ['low', 'mid', 'high'],
      confusion: [
        [1, 0, 0],
        [1, 0, 1],
        [0, 0, 1],
      ],
      probabilities: { rows: 3 },
    })
    if (result.kind !== 'classification') throw new Error('a class was predicted')
    // By hand: (0.1 + 0.2 + 0.3) / 3, (0 + 0.8 + 0.8) / 3 and 0.
    expect(result.probabilities?.mean_absolute_difference).toBeCloseTo((0.2 + 1.6 / 3) / 3, 12)
    expect(result.probabilities?.max_absolute_difference).toBeCloseTo(0.8, 12)
  })

  test('says nothing of no rows, and lists classes that the task does not have any more', () => {
    const count = countClassAgreement(['a', 'b'])
    expect(count.result()).toMatchObject({ rows: 0, share_equal: null, probabilities: null })
    count.add(said('gone'), said('b'), null)
    expect(count.result()).toMatchObject({
      classes: ['a', 'b', 'gone'],
      confusion: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 1, 0],
      ],
    })
  })

  test('does not compare probabilities of another number than the model has', () => {
    const count = countClassAgreement(['a', 'b'])
    count.add(said('a', [0.5, 0.25, 0.25]), said('a', [1, 0]), alignClasses(['a', 'b'], ['a', 'b']))
    expect(count.result()).toMatchObject({ rows: 1, probabilities: null })
  })

  const orders = fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 2 })
  const world = fc.tuple(orders, orders).chain(([left, right]) => {
    const opinion = (names: readonly string[]) =>
      fc
        .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: names.length, maxLength: names.length })
        .map((probabilities) => said(names[probabilities.indexOf(Math.max(...probabilities))]!, probabilities))
    return fc.record({
      left: fc.constant(left),
      right: fc.constant(right),
      pairs: fc.array(fc.tuple(opinion(left), opinion(right)), { maxLength: 30 }),
    })
  })

  test('is the same from both sides, with the confusion turned round', () => {
    fc.assert(
      fc.property(world, ({ left, right, pairs }) => {
        const there = countClassAgreement(['a', 'b', 'c', 'd'])
        const back = countClassAgreement(['a', 'b', 'c', 'd'])
        for (const [published, replayed] of pairs) {
          there.add(published, replayed, alignClasses(left, right))
          back.add(replayed, published, alignClasses(right, left))
        }
        const [a, b] = [there.result(), back.result()]
        if (a.kind !== 'classification' || b.kind !== 'classification') throw new Error('classes were predicted')
        expect(b.confusion).toEqual(a.classes.map((_, line) => a.confusion.map((row) => row[line])))
        expect([b.rows, b.equal, b.probabilities?.max_absolute_difference]).toEqual([
          ...[a.rows, a.equal, a.probabilities?.max_absolute_difference],
        ])
        const mean = a.probabilities?.mean_absolute_difference ?? 0
        expect(b.probabilities?.mean_absolute_difference ?? 0).toBeCloseTo(mean, 12)
        expect(a.confusion.flat().reduce((sum, cell) => sum + cell, 0)).toBe(pairs.length)
      }),
      { seed: 11, numRuns: 200 },
    )
  })

  test('is complete of a model with itself', () => {
    fc.assert(
      fc.property(world, ({ left, pairs }) => {
        const count = countClassAgreement(['a', 'b', 'c', 'd'])
        for (const [opinion] of pairs) count.add(opinion, opinion, alignClasses(left, left))
        const result = count.result()
        if (result.kind !== 'classification') throw new Error('classes were predicted')
        expect(result.equal).toBe(pairs.length)
        expect(result.probabilities?.max_absolute_difference ?? 0).toBe(0)
      }),
      { seed: 12, numRuns: 100 },
    )
  })
})

describe('the agreement on numbers', () => {
  test('gives the errors of one side against the other', () => {
    const count = countNumberAgreement()
    for (const [before, after] of [
      [100, 100],
      [100, 101],
      [100, 103],
      [0, 0],
      [-10, 10],
    ] as const)
      count.add(number(before), number(after), null)
    count.add(said('a class'), number(1), null)
    const result = count.result()
    if (result.kind !== 'regression') throw new Error('numbers were predicted')
    expect(result).toMatchObject({ rows: 5, equal: 2, share_equal: 0.4, max_absolute_difference: 20 })
    expect(result.share_within_1_percent).toBeCloseTo(3 / 5, 12)
    expect(result.mean_difference).toBeCloseTo(24 / 5, 12)
    expect(result.mae).toBeCloseTo(24 / 5, 12)
    expect(result.rmse).toBeCloseTo(Math.sqrt((1 + 9 + 400) / 5), 12)
  })

  test('says nothing of no rows', () => {
    expect(countNumberAgreement().result()).toEqual({
      kind: 'regression',
      ...{ rows: 0, equal: 0, share_equal: null, share_within_1_percent: null, mean_difference: null },
      ...{ mae: null, rmse: null, max_absolute_difference: null },
    })
  })

  test('is the same from both sides but for the sign of the mean', () => {
    const values = fc.integer({ min: -100_000, max: 100_000 }).map((hundredths) => hundredths / 100)
    fc.assert(
      fc.property(fc.array(fc.tuple(values, values), { minLength: 1, maxLength: 40 }), (pairs) => {
        const there = countNumberAgreement()
        const back = countNumberAgreement()
        for (const [a, b] of pairs) {
          there.add(number(a), number(b), null)
          back.add(number(b), number(a), null)
        }
        const [a, b] = [there.result(), back.result()]
        if (a.kind !== 'regression' || b.kind !== 'regression') throw new Error('numbers were predicted')
        expect({ ...b, mean_difference: -(b.mean_difference ?? 0) + 0 }).toEqual({
          ...a,
          mean_difference: (a.mean_difference ?? 0) + 0,
        })
        expect(a.rmse ?? 0).toBeGreaterThanOrEqual((a.mae ?? 0) * (1 - 1e-12))
      }),
      { seed: 13, numRuns: 200 },
    )
  })
})
