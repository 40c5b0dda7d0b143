import type { GraphBuilder } from './graph-builder.ts'

/** Adds the softmax of each row. */
export const writeSoftmax = (graph: GraphBuilder, scores: string): string =>
  graph.apply('Softmax', [scores], { axis: 1 })

/** Adds `ln(1 / (1 + exp(-z)))` as `min(z, 0) - ln(1 + exp(-|z|))`, which does not overflow. */
export const writeLogLogistic = (graph: GraphBuilder, z: string): string => {
  const small = graph.apply('Exp', [graph.apply('Neg', [graph.apply('Abs', [z])])])
  const log = graph.apply('Log', [graph.apply('Add', [small, graph.numbers([1], [])])])
  return graph.apply('Sub', [graph.apply('Min', [z, graph.numbers([0], [])]), log])
}
