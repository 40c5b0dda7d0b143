import { createRandom } from '../../../features/random.ts'

/** Quantiles are taken of this many values at most: 128 for each of 256 bins, and so within a few parts in a thousand. */
const SAMPLE_VALUES = 2 ** 15

/** Slots of the table that distinct values are collected in: a power of two, at most a quarter full. */
const SLOTS = 1024

/** Between two neighbours, and below the greater one even where rounding would reach it. */
export const midpoint = (below: number, above: number): number => {
  const middle = below / 2 + above / 2
  return middle < above ? middle : below
}

/**
 * The distinct values in ascending order, or null where there are more than `limit` (at most 256). NaN is left out.
 * Where there are too many, a few hundred values are enough to tell.
 */
const distinctValues = (values: Float64Array, limit: number): Float64Array | null => {
  const slots = new Float64Array(SLOTS).fill(Number.NaN)
  const bits = new Int32Array(2)
  const number = new Float64Array(bits.buffer)
  const found: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    // Adding 0 makes a positive zero of a negative one: they are equal and need one slot.
    number[0] = value + 0
    const hash = Math.imul(bits[0]! ^ Math.imul(bits[1]!, 0x9e3779b1), 0x85ebca6b)
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    while (!Number.isNaN(slots[slot]!) && slots[slot] !== value) slot = (slot + 1) & (SLOTS - 1)
    if (slots[slot] === value) continue
    if (found.length === limit) return null
    slots[slot] = value + 0
    found.push(value + 0)
  }
  return Float64Array.from(found).sort()
}

/** A sample of the values that are not missing, sorted; drawn the same way each time. */
const sortedSample = (values: Float64Array): Float64Array => {
  const known = values.some(Number.isNaN) ? values.filter((value) => !Number.isNaN(value)) : values
  if (known.length <= SAMPLE_VALUES) return known.slice().sort()
  const random = createRandom(0, 'values for quantiles')
  const sample = new Float64Array(SAMPLE_VALUES)
  for (let i = 0; i < SAMPLE_VALUES; i++) sample[i] = known[Math.floor(random.next() * known.length)]!
  return sample.sort()
}

/**
 * Cuts sorted values into at most `limit` bins of about equal counts; equal values stay together. A value that alone
 * fills a bin takes it, and the rest share what is left.
 */
const quantileCuts = (sorted: Float64Array, limit: number): Float64Array => {
  const cuts: number[] = []
  let binFrom = 0
  for (let i = 1; i < sorted.length && cuts.length < limit - 1; i++) {
    const share = (sorted.length - binFrom) / (limit - cuts.length)
    if (sorted[i] === sorted[i - 1] || i - binFrom < share - 0.5) continue
    cuts.push(midpoint(sorted[i - 1]!, sorted[i]!))
    binFrom = i
  }
  return Float64Array.from(cuts)
}

/**
 * Where a column is cut into bins: a value belongs to the first bin whose cut it does not exceed, or to the last. With
 * at most `limit` distinct values each has a bin of its own and cuts are midpoints; with more, bins hold about as many
 * rows each.
 * @param values one column; NaN where missing
 * @param limit most bins, 1 to 256
 * @returns ascending, one less than there are bins
 */
export const cutPoints = (values: Float64Array, limit: number): Float64Array => {
  if (limit === 1) return new Float64Array(0)
  const distinct = distinctValues(values, limit)
  if (distinct === null) return quantileCuts(sortedSample(values), limit)
  const cuts = new Float64Array(Math.max(0, distinct.length - 1))
  for (let i = 0; i < cuts.length; i++) cuts[i] = midpoint(distinct[i]!, distinct[i + 1]!)
  return cuts
}
