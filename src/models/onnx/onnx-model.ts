/** The part of ONNX that we read and write, as plain values. Names and numbers: onnx.proto of ONNX 1.17. */
export type OnnxModel = {
  readonly irVersion: number
  readonly producer: string
  /** Version of each operator set, by domain; the standard one's name is ''. */
  readonly opsets: ReadonlyMap<string, number>
  readonly metadata: ReadonlyMap<string, string>
  readonly graph: OnnxGraph
}

export type OnnxGraph = {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

export type OnnxNode = {
  readonly opType: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

type AttributeValues = {
  readonly float: number
  readonly integer: number
  readonly text: string
  readonly tensor: OnnxTensor
  readonly floats: readonly number[]
  readonly integers: readonly number[]
  readonly texts: readonly string[]
}

export type OnnxAttribute =
  | { [K in keyof AttributeValues]: { readonly kind: K; readonly value: AttributeValues[K] } }[keyof AttributeValues]
  /** A graph, a type or something newer: nothing that we read. */
  | { readonly kind: 'other' }

export type OnnxTensor = {
  readonly name: string
  readonly dims: readonly number[]
  readonly elementType: number
  /** Numbers, or texts for a tensor of strings. */
  readonly values: Float64Array | readonly string[]
}

/** An input or output of the graph. */
export type OnnxValue = {
  readonly name: string
  /** 0 for what is no tensor. */
  readonly elementType: number
  /** A number, or a name for a size that may vary. */
  readonly dims: readonly (number | string)[]
}

/** TensorProto.DataType. */
export const ELEMENT = { float: 1, uint8: 2, int32: 6, int64: 7, string: 8, bool: 9, double: 11 } as const

/** AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPE = { float: 1, integer: 2, text: 3, tensor: 4, floats: 6, integers: 7, texts: 8 } as const

export const ML_DOMAIN = 'ai.onnx.ml'
