import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../../../src/features/random.ts'
import { binFeatures } from '../../../../../src/models/forest/histogram/bin-features.ts'
import { type BinnedRows, MAX_BINS } from '../../../../../src/models/forest/histogram/binned-rows.ts'
import { FitFailed } from '../../../../../src/models/model-errors.ts'

const binColumn = (values: readonly number[], maxBins = MAX_BINS, categories = 0): BinnedRows =>
  binFeatures(
    { features: Float64Array.from(values), rows: values.length, columns: 1, categories: Int32Array.of(categories) },
    maxBins,
  )

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(0, -0, 1e-300, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
)

describe('binning of numbers', () => {
  it('keeps the order of values, within the limit, each bin being a range of its own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 8, arbitrary: number }, { weight: 1, arbitrary: fc.constant(Number.NaN) }), {
          minLength: 1,
          maxLength: 600,
        }),
        fc.integer({ min: 2, max: MAX_BINS }),
        (values, maxBins) => {
          const { codes, bins, lowest, highest } = binColumn(values, maxBins)
          const missing = values.some(Number.isNaN)
          const count = bins[0]!
          expect(count + (missing ? 1 : 0)).toBeLessThanOrEqual(maxBins)
          values.forEach((value, row) => {
            const code = codes[row]!
            if (Number.isNaN(value)) {
              expect(code).toBe(count)
              return
            }
            expect(code).toBeLessThan(count)
            expect(value >= lowest[code]! && value <= highest[code]!).toBe(true)
          })
          let before = Number.NEGATIVE_INFINITY
          for (let bin = 0; bin < count; bin++) {
            if (lowest[bin] === Number.POSITIVE_INFINITY) continue
            expect(lowest[bin]!).toBeGreaterThan(before)
            before = highest[bin]!
          }
        },
      ),
      { seed: 4, numRuns: 200 },
    )
  })

  it('gives each of as many distinct values as there are bins a bin of its own', () => {
    const distinct = Array.from({ length: 255 }, (_, i) => i ** 3 / 7 - 5)
    const values = [...distinct, ...distinct, Number.NaN]
    const { codes, bins } = binColumn(values)
    expect(bins[0]).toBe(255)
    expect([...codes]).toEqual(values.map((value) => (Number.isNaN(value) ? 255 : distinct.indexOf(value))))
    const withoutMissing = binColumn(Array.from({ length: 256 }, (_, i) => i * 0.1))
    expect(withoutMissing.bins[0]).toBe(256)
  })

  it('fills the bins of many distinct values evenly, and keeps a frequent value in one bin', () => {
    const random = createRandom(5, 'values')
    const values = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 0.25 : (-Math.log(1 - random.next())) ** 3))
    const { codes, bins } = binColumn(values, 128)
    const counts = new Array<number>(128).fill(0)
    for (const code of codes) counts[code]! += 1
    const frequent = codes[0]!
    expect(counts[frequent]).toBeGreaterThanOrEqual(10_000)
    const others = counts.filter((_, bin) => bin !== frequent)
    expect(bins[0]).toBeGreaterThan(120)
    expect(Math.max(...others)).toBeLessThan(2 * (10_000 / 127))
  })

  it('takes quantiles of a sample where there are very many rows, and still finds a bin for every value', () => {
    const random = createRandom(6, 'values')
    const values = Float64Array.from({ length: 70_000 }, () => random.next() ** 4)
    const { codes, lowest, highest } = binColumn([...values])
    const counts = new Array<number>(MAX_BINS).fill(0)
    for (const code of codes) counts[code]! += 1
    expect(Math.min(...counts)).toBeGreaterThan(70_000 / MAX_BINS / 2)
    expect(Math.max(...counts)).toBeLessThan((70_000 / MAX_BINS) * 2)
    expect(values.every((value, row) => value >= lowest[codes[row]!]! && value <= highest[codes[row]!]!)).toBe(true)
  })
})

describe('binning of a column that is missing nearly everywhere', () => {
  it('tells apart the values that there are', () => {
    const values = new Array<number>(200_000).fill(Number.NaN)
    for (let i = 0; i < 1000; i++) values[200 * i] = i
    const { codes, bins } = binColumn(values)
    const counts = new Array<number>(MAX_BINS).fill(0)
    for (const code of codes) counts[code]! += 1
    expect(bins[0]).toBe(255)
    expect(counts[255]).toBe(199_000)
    expect(Math.max(...counts.slice(0, 255))).toBeLessThanOrEqual(4)
  })
})

describe('binning of categories', () => {
  it('keeps the codes, and takes what is no category for missing', () => {
    const { codes, bins } = binColumn([0, 2, 1, 3, 300, -1, 1.5, Number.NaN], MAX_BINS, 3)
    expect(bins[0]).toBe(3)
    expect([...codes]).toEqual([0, 2, 1, 3, 3, 3, 3, 3])
  })

  it('refuses more categories than a byte holds beside the missing value', () => {
    expect(binColumn([254], MAX_BINS, 255).codes[0]).toBe(254)
    expect(() => binColumn([0], MAX_BINS, 256)).toThrow(FitFailed)
    expect(() => binColumn([0], MAX_BINS, 256)).toThrow('feature 1 has 256 categories')
  })
})
