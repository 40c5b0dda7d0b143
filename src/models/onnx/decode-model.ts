import { decodeTensor } from './decode-tensor.ts'
import {
  ATTRIBUTE_TYPE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-model.ts'
import { OnnxRefused } from './onnx-refused.ts'
import { readWire, type WireReader } from './wire-reader.ts'

/** A graph with more operators is no forest with its inputs and outputs. */
const MAX_OPERATORS = 1000

const decodeValue = (reader: WireReader): OnnxValue => {
  let name = ''
  let elementType = 0
  const dims: (number | string)[] = []

  const decodeDim = (dim: WireReader): void => {
    let size: number | string = ''
    for (let field = dim.next(); field !== 0; field = dim.next()) {
      if (field === 1) size = dim.integer()
      if (field === 2) size = dim.text()
    }
    dims.push(size)
  }
  const decodeShape = (shape: WireReader): void => {
    for (let field = shape.next(); field !== 0; field = shape.next()) if (field === 1) decodeDim(shape.message())
  }
  const decodeTensorType = (type: WireReader): void => {
    for (let field = type.next(); field !== 0; field = type.next()) {
      if (field === 1) elementType = type.integer()
      if (field === 2) decodeShape(type.message())
    }
  }
  const decodeType = (type: WireReader): void => {
    for (let field = type.next(); field !== 0; field = type.next()) if (field === 1) decodeTensorType(type.message())
  }

  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.text()
    if (field === 2) decodeType(reader.message())
  }
  return { name, elementType, dims }
}

const decodeAttribute = (reader: WireReader): [name: string, attribute: OnnxAttribute] => {
  let name = ''
  let type = 0
  let float = 0
  let integer = 0
  let text = ''
  let tensor: OnnxTensor | undefined
  const floats: number[] = []
  const integers: number[] = []
  const texts: string[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.text()
    if (field === 2) float = reader.float()
    if (field === 3) integer = reader.integer()
    if (field === 4) text = reader.text()
    if (field === 5) tensor = decodeTensor(reader.message())
    if (field === 7) reader.floatsInto(floats)
    if (field === 8) reader.integersInto(integers)
    if (field === 9) reader.textsInto(texts)
    if (field === 20) type = reader.integer()
  }
  if (type === ATTRIBUTE_TYPE.float) return [name, { kind: 'float', value: float }]
  if (type === ATTRIBUTE_TYPE.integer) return [name, { kind: 'integer', value: integer }]
  if (type === ATTRIBUTE_TYPE.text) return [name, { kind: 'text', value: text }]
  if (type === ATTRIBUTE_TYPE.floats) return [name, { kind: 'floats', value: floats }]
  if (type === ATTRIBUTE_TYPE.integers) return [name, { kind: 'integers', value: integers }]
  if (type === ATTRIBUTE_TYPE.texts) return [name, { kind: 'texts', value: texts }]
  if (type === ATTRIBUTE_TYPE.tensor && tensor !== undefined) return [name, { kind: 'tensor', value: tensor }]
  return [name, { kind: 'other' }]
}

const decodeNode = (reader: WireReader): OnnxNode => {
  let opType = ''
  let domain = ''
  let name = ''
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, OnnxAttribute>()
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.textsInto(inputs)
    if (field === 2) reader.textsInto(outputs)
    if (field === 3) name = reader.text()
    if (field === 4) opType = reader.text()
    if (field === 5) {
      const [key, attribute] = decodeAttribute(reader.message())
      if (attributes.has(key))
        throw new OnnxRefused(`operator '${opType}' has two attributes '${key}'; export it again`)
      attributes.set(key, attribute)
    }
    if (field === 7) domain = reader.text()
  }
  return { opType, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attributes }
}

const decodeGraph = (reader: WireReader): OnnxGraph => {
  let name = ''
  const nodes: OnnxNode[] = []
  const initializers: OnnxTensor[] = []
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) nodes.push(decodeNode(reader.message()))
    if (field === 2) name = reader.text()
    if (field === 5) initializers.push(decodeTensor(reader.message()))
    if (field === 11) inputs.push(decodeValue(reader.message()))
    if (field === 12) outputs.push(decodeValue(reader.message()))
    if (nodes.length > MAX_OPERATORS) {
      throw new OnnxRefused(`the graph has more than ${MAX_OPERATORS} operators; export the forest alone`)
    }
  }
  return { name, nodes, initializers, inputs, outputs }
}

/** Reads two fields of text or number by their numbers. */
const decodePair = <K, V>(reader: WireReader, readKey: () => K, readValue: () => V, none: [K, V]): [K, V] => {
  let [key, value] = none
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = readKey()
    if (field === 2) value = readValue()
  }
  return [key, value]
}

/**
 * Reads the bytes of an ONNX file (a ModelProto). Fields that we do not know are passed over.
 * @throws OnnxRefused if they are no such message
 */
export const decodeModel = (bytes: Uint8Array): OnnxModel => {
  let irVersion = 0
  let producer = ''
  let graph: OnnxGraph | undefined
  const opsets = new Map<string, number>()
  const metadata = new Map<string, string>()
  const reader = readWire(bytes, 'the file')
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) irVersion = reader.integer()
    if (field === 2) producer = reader.text()
    if (field === 7) {
      if (graph !== undefined) throw new OnnxRefused('the file has two graphs; export the model again')
      graph = decodeGraph(reader.message())
    }
    if (field === 8) {
      const opset = reader.message()
      const [domain, version] = decodePair(opset, opset.text, opset.integer, ['', 0])
      const standard = domain === 'ai.onnx' ? '' : domain
      // Some exporters name a domain more than once.
      opsets.set(standard, Math.max(version, opsets.get(standard) ?? 0))
    }
    if (field === 14) {
      const entry = reader.message()
      metadata.set(...decodePair(entry, entry.text, entry.text, ['', '']))
    }
  }
  if (graph === undefined) throw new OnnxRefused('the file holds no graph: it is no ONNX model; export the model again')
  return { irVersion, producer, opsets, metadata, graph }
}
