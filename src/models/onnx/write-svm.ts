import type { ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import { pairsOf } from '../svm/pairwise-coupling.ts'
import { type Supports, takeSupports } from '../svm/svm-decisions.ts'
import { MIN_PAIR_PROBABILITY } from '../svm/svm-scorer.ts'
import type { GraphBuilder } from './graph-builder.ts'

const transpose = (values: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from({ length: values.length }, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!)

/** Adds `exp(-gamma d^2)` of each row with each vector, by `d^2 = x.x + v.v - 2 x.v`. */
const writeKernels = (
  graph: GraphBuilder,
  rows: string,
  vectors: Float64Array,
  columns: number,
  gamma: number,
): string => {
  const count = vectors.length / columns
  const norms = Float64Array.from({ length: count }, (_, vector) => {
    const values = vectors.subarray(vector * columns, (vector + 1) * columns)
    return values.reduce((sum, value) => sum + value * value, 0)
  })
  const products = graph.apply('MatMul', [rows, graph.numbers(transpose(vectors, count, columns), [columns, count])])
  const squares = graph.apply('ReduceSum', [graph.apply('Mul', [rows, rows]), graph.integers([1], [1])], {
    keepdims: 1,
  })
  const lengths = graph.apply('Add', [squares, graph.numbers(norms, [1, count])])
  const twice = graph.apply('Mul', [products, graph.numbers([2], [])])
  // Rounding may leave the distance of a row from itself a little below 0.
  const distances = graph.apply('Max', [graph.apply('Sub', [lengths, twice]), graph.numbers([0], [])])
  return graph.apply('Exp', [graph.apply('Mul', [distances, graph.numbers([-gamma], [])])])
}

/** One row per vector and one column per machine, 0 where the vector does not support it. */
const denseCoefficients = ({ ends, vectors, coefficients }: Supports, count: number): Float64Array => {
  const machines = ends.length
  const dense = new Float64Array(count * machines)
  let at = 0
  for (let machine = 0; machine < machines; machine++) {
    for (; at < ends[machine]!; at++) dense[vectors[at]! * machines + machine] = coefficients[at]!
  }
  return dense
}

/** Adds what `openSvmDecisions` computes. @returns float64, `rows * machines` */
const writeDecisions = (graph: GraphBuilder, rows: string, sections: Sections, shape: ModelShape): string => {
  const { columns } = shape
  const values = sections.float64('intercepts')
  const machines = values.length
  const intercepts = graph.numbers(values, [1, machines])
  if (!sections.has('gamma')) {
    const weights = transpose(sections.float64('weights', machines * columns), machines, columns)
    return graph.apply('Add', [graph.apply('MatMul', [rows, graph.numbers(weights, [columns, machines])]), intercepts])
  }
  const vectors = sections.float64('vectors')
  const count = vectors.length / columns
  const kernels = writeKernels(graph, rows, vectors, columns, sections.float64('gamma', 1)[0]!)
  const coefficients = denseCoefficients(takeSupports(sections, count, shape), count)
  return graph.apply('Add', [
    graph.apply('MatMul', [kernels, graph.numbers(coefficients, [count, machines])]),
    intercepts,
  ])
}

/**
 * Adds pairwise coupling. The p that minimises `p' Q p` with sum 1 (see `createCoupling`) is `z / sum(z)` where
 * `(Q + e e') z = e`: adding `e e'` changes the minimum's value, not its place, and makes the matrix positive definite.
 * Solved by Gauss-Jordan elimination, one step per class over all rows at once.
 * @param r float64, `rows * classes * classes`: probability of the first of each pair, 0 on the diagonal
 */
const writeCoupling = (graph: GraphBuilder, r: string, classes: number): string => {
  const identity = Float64Array.from({ length: classes * classes }, (_, at) => (at % (classes + 1) === 0 ? 1 : 0))
  const turned = graph.apply('Transpose', [r], { perm: [0, 2, 1] })
  const sums = graph.apply('ReduceSum', [graph.apply('Mul', [r, r]), graph.integers([1], [1])], { keepdims: 1 })
  const diagonal = graph.apply('Mul', [sums, graph.numbers(identity, [1, classes, classes])])
  const ones = graph.numbers([1], [1, 1, 1])
  const q = graph.apply('Add', [graph.apply('Sub', [diagonal, graph.apply('Mul', [r, turned])]), ones])
  const first = graph.apply('Gather', [q, graph.integers([0], [1])], { axis: 2 })
  const right = graph.apply('Add', [graph.apply('Sub', [first, first]), ones])
  let system = graph.apply('Concat', [q, right], { axis: 2 })
  for (let step = 0; step < classes; step++) {
    const at = graph.integers([step], [1])
    const unit = Float64Array.from({ length: classes }, (_, row) => (row === step ? 1 : 0))
    const row = graph.apply('Gather', [system, at], { axis: 1 })
    const column = graph.apply('Gather', [system, at], { axis: 2 })
    const pivot = graph.apply('Gather', [row, at], { axis: 2 })
    const others = graph.apply('Sub', [column, graph.numbers(unit, [1, classes, 1])])
    // The row of the pivot is divided by it, and leaves its column in every other row.
    const change = graph.apply('Mul', [graph.apply('Div', [others, pivot]), row])
    system = graph.apply('Sub', [system, change])
  }
  const solution = graph.apply('Gather', [system, graph.integers([classes], [])], { axis: 2 })
  const total = graph.apply('ReduceSum', [solution, graph.integers([1], [1])], { keepdims: 1 })
  return graph.apply('Div', [solution, total])
}

/** Adds what `openSvm` computes. @param rows standardised */
export const writeSvm = (graph: GraphBuilder, rows: string, sections: Sections, shape: ModelShape): string => {
  const decisions = writeDecisions(graph, rows, sections, shape)
  if (shape.kind === 'regression') return decisions
  const classes = shape.outputs
  const pairs = pairsOf(classes)
  const platt = sections.float64('platt', 2 * pairs.length)
  const slopes = graph.numbers(
    platt.filter((_, i) => i % 2 === 0),
    [1, pairs.length],
  )
  const intercepts = graph.numbers(
    platt.filter((_, i) => i % 2 === 1),
    [1, pairs.length],
  )
  const one = graph.numbers([1], [])
  const z = graph.apply('Add', [graph.apply('Mul', [decisions, slopes]), intercepts])
  const sure = graph.apply('Div', [one, graph.apply('Add', [graph.apply('Exp', [z]), one])])
  const limits = [graph.numbers([MIN_PAIR_PROBABILITY], []), graph.numbers([1 - MIN_PAIR_PROBABILITY], [])]
  const p = graph.apply('Clip', [sure, ...limits])
  const rest = graph.apply('Sub', [one, p])
  if (classes === 2) return graph.apply('Concat', [p, rest], { axis: 1 })

  const none = graph.apply('Sub', [p, p])
  const columnsOfPairs = graph.apply('Concat', [p, rest, none], { axis: 1 })
  const places = new Int32Array(classes * classes).fill(2 * pairs.length)
  pairs.forEach(([first, second], pair) => {
    places[first * classes + second] = pair
    places[second * classes + first] = pairs.length + pair
  })
  const flat = graph.apply('Gather', [columnsOfPairs, graph.integers(places, [places.length])], { axis: 1 })
  const r = graph.apply('Reshape', [flat, graph.integers([-1, classes, classes], [3])])
  return writeCoupling(graph, r, classes)
}
