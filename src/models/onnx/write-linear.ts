import type { Sections } from '../sections.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { writeLogLogistic, writeSoftmax } from './write-softmax.ts'

/**
 * Adds `x W' + b`.
 * @param weights row-major, `outputs * (columns + 1)`, the intercept last
 * @returns float64, `rows * outputs`
 */
const writeAffine = (
  graph: GraphBuilder,
  rows: string,
  weights: Float64Array,
  columns: number,
  outputs: number,
): string => {
  const matrix = new Float64Array(columns * outputs)
  const intercepts = new Float64Array(outputs)
  for (let output = 0; output < outputs; output++) {
    const first = output * (columns + 1)
    for (let column = 0; column < columns; column++) matrix[column * outputs + output] = weights[first + column]!
    intercepts[output] = weights[first + columns]!
  }
  const products = graph.apply('MatMul', [rows, graph.numbers(matrix, [columns, outputs])])
  return graph.apply('Add', [products, graph.numbers(intercepts, [1, outputs])])
}

/** Adds what `openRidge` computes. @param rows standardised */
export const writeRidge = (graph: GraphBuilder, rows: string, sections: Sections, columns: number): string =>
  writeAffine(graph, rows, sections.float64('weights', columns + 1), columns, 1)

/** Adds what `openLogistic` computes: softmax, or the shares of one logistic function per class. */
export const writeLogistic = (
  graph: GraphBuilder,
  rows: string,
  sections: Sections,
  columns: number,
  classes: number,
): string => {
  const length = classes * (columns + 1)
  if (sections.has('softmax_weights')) {
    return writeSoftmax(graph, writeAffine(graph, rows, sections.float64('softmax_weights', length), columns, classes))
  }
  const scores = writeAffine(graph, rows, sections.float64('weights', length), columns, classes)
  return writeSoftmax(graph, writeLogLogistic(graph, scores))
}
