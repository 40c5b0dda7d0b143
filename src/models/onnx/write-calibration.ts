import { calibrationSections, curvesOf } from '../calibration/calibration-sections.ts'
import { LEAST as LEAST_PROBABILITY } from '../calibration/log-odds.ts'
import { LEAST_SUM } from '../calibration/open-calibration.ts'
import type { Sections } from '../sections.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** Adds `1 / (1 + exp(-(slope * ln(p / (1 - p)) + intercept)))` for each column. */
const writePlatt = (graph: GraphBuilder, probabilities: string, sections: Sections, curves: number): string => {
  const slopes = graph.numbers(sections.float64(calibrationSections.slopes, curves), [1, curves])
  const intercepts = graph.numbers(sections.float64(calibrationSections.intercepts, curves), [1, curves])
  const one = graph.numbers([1], [])
  const limits = [graph.numbers([LEAST_PROBABILITY], []), graph.numbers([1 - LEAST_PROBABILITY], [])]
  const p = graph.apply('Clip', [probabilities, ...limits])
  const odds = graph.apply('Log', [graph.apply('Div', [p, graph.apply('Sub', [one, p])])])
  const z = graph.apply('Add', [graph.apply('Mul', [odds, slopes]), intercepts])
  return graph.apply('Div', [one, graph.apply('Add', [graph.apply('Exp', [graph.apply('Neg', [z])]), one])])
}

/** Adds one curve: its first value, and of each stretch the share that lies below the probability. */
const writeCurve = (graph: GraphBuilder, probability: string, from: Float64Array, to: Float64Array): string => {
  const stretches = from.length - 1
  const first = graph.numbers([to[0]!], [1, 1])
  if (stretches === 0) return graph.apply('Add', [graph.apply('Sub', [probability, probability]), first])
  const widths = Float64Array.from({ length: stretches }, (_, i) => from[i + 1]! - from[i]!)
  const rises = Float64Array.from({ length: stretches }, (_, i) => to[i + 1]! - to[i]!)
  const beyond = graph.apply('Sub', [probability, graph.numbers(from.subarray(0, stretches), [1, stretches])])
  const shares = graph.apply('Div', [beyond, graph.numbers(widths, [1, stretches])])
  const within = graph.apply('Clip', [shares, graph.numbers([0], []), graph.numbers([1], [])])
  return graph.apply('Add', [graph.apply('MatMul', [within, graph.numbers(rises, [stretches, 1])]), first])
}

const writeIsotonic = (graph: GraphBuilder, probabilities: string, sections: Sections, curves: number): string => {
  const starts = sections.int32(calibrationSections.starts, curves + 1)
  const from = sections.float64(calibrationSections.from)
  const to = sections.float64(calibrationSections.to, from.length)
  const columns = Array.from({ length: curves }, (_, curve) => {
    const column = graph.apply('Gather', [probabilities, graph.integers([curve], [1])], { axis: 1 })
    const [first, end] = [starts[curve]!, starts[curve + 1]!]
    return writeCurve(graph, column, from.subarray(first, end), to.subarray(first, end))
  })
  return columns.length === 1 ? columns[0]! : graph.apply('Concat', columns, { axis: 1 })
}

/** Adds what `openCalibration` does. @param probabilities float64, `rows * classes` */
export const writeCalibration = (
  graph: GraphBuilder,
  probabilities: string,
  sections: Sections,
  method: 'platt' | 'isotonic',
  classes: number,
): string => {
  const write = method === 'platt' ? writePlatt : writeIsotonic
  const curves = curvesOf(classes)
  if (classes === 2) {
    const second = graph.apply('Gather', [probabilities, graph.integers([1], [1])], { axis: 1 })
    const corrected = write(graph, second, sections, curves)
    return graph.apply('Concat', [graph.apply('Sub', [graph.numbers([1], []), corrected]), corrected], { axis: 1 })
  }
  const corrected = write(graph, probabilities, sections, curves)
  const sum = graph.apply('ReduceSum', [corrected, graph.integers([1], [1])], { keepdims: 1 })
  const isEnough = graph.apply('GreaterOrEqual', [sum, graph.numbers([LEAST_SUM], [])])
  return graph.apply('Where', [isEnough, graph.apply('Div', [corrected, sum]), probabilities])
}
