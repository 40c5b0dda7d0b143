import { ELEMENT, type OnnxAttribute, type OnnxGraph, type OnnxNode, type OnnxTensor } from './onnx-model.ts'

type AttributeInput = number | string | readonly number[] | readonly string[] | OnnxTensor

/** Builds a graph operator by operator. Values are known by the names that this gives them. */
export type GraphBuilder = {
  /** A constant of float64, of the shape `dims`. */
  readonly numbers: (values: ArrayLike<number>, dims: readonly number[]) => string
  readonly integers: (values: ArrayLike<number>, dims: readonly number[]) => string
  readonly bytes: (values: ArrayLike<number>, dims: readonly number[]) => string
  readonly texts: (values: readonly string[]) => string
  /** Adds an operator. @returns its outcome */
  readonly apply: (
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeInput>>,
    domain?: string,
  ) => string
  /** Gives a value the name of an output. */
  readonly nameOutput: (value: string, name: string) => void
  readonly finish: () => Pick<OnnxGraph, 'nodes' | 'initializers'>
}

/** A tensor of float64 for an attribute. */
export const numberTensor = (values: ArrayLike<number>): OnnxTensor => ({
  name: 'values',
  dims: [values.length],
  elementType: ELEMENT.double,
  values: Float64Array.from(values),
})

const attributeOf = (value: AttributeInput): OnnxAttribute => {
  if (typeof value === 'number') return { kind: 'integer', value }
  if (typeof value === 'string') return { kind: 'text', value }
  if ('elementType' in value) return { kind: 'tensor', value }
  return typeof value[0] === 'string'
    ? { kind: 'texts', value: value as readonly string[] }
    : { kind: 'integers', value: value as readonly number[] }
}

export const createGraphBuilder = (): GraphBuilder => {
  const nodes: OnnxNode[] = []
  const initializers: OnnxTensor[] = []

  const constant = (elementType: number, values: OnnxTensor['values'], dims: readonly number[]): string => {
    const name = `constant_${initializers.length}`
    initializers.push({ name, dims, elementType, values })
    return name
  }

  const add = (
    opType: string,
    domain: string,
    inputs: readonly string[],
    output: string,
    attributes: OnnxNode['attributes'],
  ) => {
    nodes.push({ opType, domain, name: `${opType}_${nodes.length}`, inputs, outputs: [output], attributes })
    return output
  }

  return {
    numbers: (values, dims) => constant(ELEMENT.double, Float64Array.from(values), dims),
    integers: (values, dims) => constant(ELEMENT.int64, Float64Array.from(values), dims),
    bytes: (values, dims) => constant(ELEMENT.uint8, Float64Array.from(values), dims),
    texts: (values) => constant(ELEMENT.string, values, [values.length]),
    apply: (opType, inputs, attributes = {}, domain = '') => {
      const entries = Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)] as const)
      return add(opType, domain, inputs, `value_${nodes.length}`, new Map(entries))
    },
    nameOutput: (value, name) => {
      add('Identity', '', [value], name, new Map())
    },
    finish: () => ({ nodes, initializers }),
  }
}
