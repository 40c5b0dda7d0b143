import { STANDARDISED_LIMIT } from '../../features/standardiser.ts'
import type { ModelShape } from '../family-scorer.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'
import { coefficientSlot, pairsOf } from './pairwise-coupling.ts'

/** Writes the decision value of every machine for one standardised row, which starts at `from`. Allocates nothing. */
export type SvmDecisions = (rows: Float64Array, from: number, decisions: Float64Array) => void

/** Vectors whose kernel values are computed at once: each number of the row is read once for all of them. */
const LANES = 4

const openLinear = (sections: Sections, columns: number, machines: number): SvmDecisions => {
  const weights = sections.float64('weights', machines * columns)
  const intercepts = sections.float64('intercepts', machines)
  return (rows, from, decisions) => {
    for (let machine = 0; machine < machines; machine++) {
      let sum = intercepts[machine]!
      for (let column = 0; column < columns; column++)
        sum += weights[machine * columns + column]! * rows[from + column]!
      decisions[machine] = sum
    }
  }
}

const takeVectors = (sections: Sections, columns: number): Float64Array => {
  const vectors = sections.float64('vectors')
  if (vectors.length % columns !== 0) {
    throw new ArtefactCorrupt(`section 'vectors' has ${vectors.length} elements: no multiple of ${columns} columns`)
  }
  if (vectors.some((value) => Math.abs(value) > STANDARDISED_LIMIT)) {
    throw new ArtefactCorrupt(`section 'vectors' holds a value that no standardised row can have`)
  }
  return vectors
}

/** Four vectors after one another, column by column; vectors of zeros fill the last four up. */
const interleave = (vectors: Float64Array, columns: number): Float64Array => {
  const count = vectors.length / columns
  const lanes = new Float64Array(Math.ceil(count / LANES) * LANES * columns)
  for (let vector = 0; vector < count; vector++) {
    const to = Math.floor(vector / LANES) * LANES * columns + (vector % LANES)
    for (let column = 0; column < columns; column++) lanes[to + column * LANES] = vectors[vector * columns + column]!
  }
  return lanes
}

/** The vectors that support each machine, with their coefficients; those of machine m end at `ends[m]`. */
export type Supports = { readonly ends: Int32Array; readonly vectors: Int32Array; readonly coefficients: Float64Array }

/** @throws ArtefactCorrupt */
export const takeSupports = (sections: Sections, count: number, shape: ModelShape): Supports => {
  if (shape.kind === 'regression') {
    const coefficients = sections.float64('coefficients', count)
    return { ends: Int32Array.of(count), vectors: Int32Array.from(coefficients.keys()), coefficients }
  }
  const classes = shape.outputs
  const stored = sections.float64('coefficients', count * (classes - 1))
  const counts = sections.int32('class_vectors', classes)
  if (counts.some((vectors) => vectors < 0) || counts.reduce((sum, vectors) => sum + vectors, 0) !== count) {
    throw new ArtefactCorrupt(`section 'class_vectors' is [${counts}]; it should share out ${count} vectors`)
  }
  const starts = counts.map((_, c) => counts.subarray(0, c).reduce((sum, vectors) => sum + vectors, 0))
  const vectors = new Int32Array(stored.length)
  const coefficients = new Float64Array(stored.length)
  let end = 0
  const addClass = (of: number, other: number): void => {
    for (let vector = starts[of]!; vector < starts[of]! + counts[of]!; vector++) {
      const coefficient = stored[vector * (classes - 1) + coefficientSlot(of, other)]!
      if (coefficient === 0) continue
      vectors[end] = vector
      coefficients[end++] = coefficient
    }
  }
  const ends = Int32Array.from(pairsOf(classes), ([first, second]) => {
    addClass(first, second)
    addClass(second, first)
    return end
  })
  return { ends, vectors: vectors.slice(0, end), coefficients: coefficients.slice(0, end) }
}

/**
 * Writes the kernel value of one row with each vector. A function of its own, with all it works on as arguments: within
 * the closure it takes twice the time on V8 13.
 */
const fillKernels = (
  lanes: Float64Array,
  columns: number,
  gamma: number,
  rows: Float64Array,
  from: number,
  kernels: Float64Array,
): void => {
  let lane = 0
  for (let vector = 0; vector < kernels.length; vector += LANES) {
    let squares0 = 0
    let squares1 = 0
    let squares2 = 0
    let squares3 = 0
    for (let column = 0; column < columns; column++) {
      const value = rows[from + column]!
      const d0 = value - lanes[lane]!
      const d1 = value - lanes[lane + 1]!
      const d2 = value - lanes[lane + 2]!
      const d3 = value - lanes[lane + 3]!
      squares0 += d0 * d0
      squares1 += d1 * d1
      squares2 += d2 * d2
      squares3 += d3 * d3
      lane += LANES
    }
    kernels[vector] = squares0
    kernels[vector + 1] = squares1
    kernels[vector + 2] = squares2
    kernels[vector + 3] = squares3
  }
  for (let vector = 0; vector < kernels.length; vector++) kernels[vector] = Math.exp(-gamma * kernels[vector]!)
}

const openRbf = (sections: Sections, shape: ModelShape, machines: number): SvmDecisions => {
  const { columns } = shape
  const gamma = sections.float64('gamma', 1)[0]!
  if (!(gamma > 0)) throw new ArtefactCorrupt(`the kernel's gamma is ${gamma}; it must be above 0`)
  const vectors = takeVectors(sections, columns)
  const intercepts = sections.float64('intercepts', machines)
  const { ends, vectors: supporting, coefficients } = takeSupports(sections, vectors.length / columns, shape)
  const lanes = interleave(vectors, columns)
  const kernels = new Float64Array(lanes.length / columns)

  return (rows, from, decisions) => {
    // One kernel value serves every machine that the vector supports.
    fillKernels(lanes, columns, gamma, rows, from, kernels)
    let support = 0
    for (let machine = 0; machine < machines; machine++) {
      let sum = intercepts[machine]!
      for (const end = ends[machine]!; support < end; support++)
        sum += coefficients[support]! * kernels[supporting[support]!]!
      decisions[machine] = sum
    }
  }
}

/**
 * The decision values of compiled machines: one per pair of `pairsOf` for classes, one for a regression.
 * Sections: `intercepts` float64, one per machine, and
 * with the linear kernel: `weights` float64, `machines * columns`;
 * with the Gaussian kernel `exp(-gamma d^2)`: `gamma` float64; `vectors` float64, row-major, `count * columns`;
 * `coefficients` float64, row-major, `count * (classes - 1)`, or `count` for a regression. For classes the vectors come
 * class by class, `class_vectors` int32 says how many of each, and a vector of class c has its coefficient against
 * class d at `coefficientSlot(c, d)`, 0 where it does not support that machine. LIBSVM keeps them so, too.
 * @throws ArtefactCorrupt
 */
export const openSvmDecisions = (sections: Sections, shape: ModelShape): SvmDecisions => {
  const machines = shape.kind === 'regression' ? 1 : (shape.outputs * (shape.outputs - 1)) / 2
  return sections.has('gamma') ? openRbf(sections, shape, machines) : openLinear(sections, shape.columns, machines)
}
