import { encodedWidths } from '../../features/encoder.ts'
import { STANDARDISED_LIMIT } from '../../features/standardiser.ts'
import type { StandardiserParameters } from '../manifest.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { ELEMENT } from './onnx-model.ts'

/**
 * Adds what `encodeInto` and `standardiseInto` do: one column per category, then `(value - mean) / scale` within
 * bounds, 0 where the feature is missing.
 * @param input float64, `rows * features`: values, and codes of categories
 * @param counts categories of each feature, 0 for a number
 * @returns float64, `rows * columns`
 */
export const writeStandardiser = (
  graph: GraphBuilder,
  input: string,
  counts: readonly number[],
  { mean, scale }: StandardiserParameters,
): string => {
  const features: number[] = []
  const codes: number[] = []
  const isCategory: number[] = []
  encodedWidths(counts).forEach((width, feature) => {
    for (let code = 0; code < width; code++) {
      features.push(feature)
      codes.push(code)
      isCategory.push(counts[feature]! > 0 ? 1 : 0)
    }
  })
  const columns = features.length
  const hasCategories = isCategory.includes(1)
  // One column per encoded column, still as the feature has it.
  const spread = hasCategories
    ? graph.apply('Gather', [input, graph.integers(features, [columns])], { axis: 1 })
    : input
  let values = spread
  if (hasCategories) {
    const isCode = graph.apply('Equal', [spread, graph.numbers(codes, [1, columns])])
    const oneHot = graph.apply('Cast', [isCode], { to: ELEMENT.double })
    const mask = graph.apply('Cast', [graph.bytes(isCategory, [1, columns])], { to: ELEMENT.bool })
    values = graph.apply('Where', [mask, oneHot, spread])
  }
  const centred = graph.apply('Sub', [values, graph.numbers(mean, [1, columns])])
  const scaled = graph.apply('Div', [centred, graph.numbers(scale, [1, columns])])
  const limits = [graph.numbers([-STANDARDISED_LIMIT], []), graph.numbers([STANDARDISED_LIMIT], [])]
  const bounded = graph.apply('Clip', [scaled, ...limits])
  return graph.apply('Where', [graph.apply('IsNaN', [spread]), graph.numbers([0], [1, 1]), bounded])
}
