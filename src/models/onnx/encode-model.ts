import {
  ATTRIBUTE_TYPE,
  ELEMENT,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-model.ts'
import { type WireWriter, writeWire } from './wire-writer.ts'

const rawBytes = (values: Float64Array, elementType: number): Uint8Array => {
  const size =
    elementType === ELEMENT.double || elementType === ELEMENT.int64 ? 8 : elementType === ELEMENT.float ? 4 : 1
  const bytes = new Uint8Array(values.length * size)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => {
    if (elementType === ELEMENT.double) view.setFloat64(i * 8, value, true)
    else if (elementType === ELEMENT.int64) view.setBigInt64(i * 8, BigInt(value), true)
    else if (elementType === ELEMENT.float) view.setFloat32(i * 4, value, true)
    else view.setUint8(i, value)
  })
  return bytes
}

const writeTensor = (writer: WireWriter, { name, dims, elementType, values }: OnnxTensor): void => {
  writer.integers(1, dims)
  writer.integer(2, elementType)
  writer.text(8, name)
  if (values instanceof Float64Array) writer.bytes(9, rawBytes(values, elementType))
  else for (const value of values) writer.text(6, value)
}

const writeValue = (writer: WireWriter, { name, elementType, dims }: OnnxValue): void => {
  writer.text(1, name)
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, elementType)
      tensor.message(2, (shape) => {
        for (const dim of dims) {
          shape.message(1, (size) => (typeof dim === 'number' ? size.integer(1, dim) : size.text(2, dim)))
        }
      })
    }),
  )
}

const writeAttribute = (writer: WireWriter, name: string, attribute: OnnxAttribute): void => {
  writer.text(1, name)
  if (attribute.kind === 'float') writer.float(2, attribute.value)
  else if (attribute.kind === 'integer') writer.integer(3, attribute.value)
  else if (attribute.kind === 'text') writer.text(4, attribute.value)
  else if (attribute.kind === 'tensor') writer.message(5, (tensor) => writeTensor(tensor, attribute.value))
  else if (attribute.kind === 'floats') writer.floats(7, attribute.value)
  else if (attribute.kind === 'integers') writer.integers(8, attribute.value)
  else if (attribute.kind === 'texts') for (const value of attribute.value) writer.text(9, value)
  else throw new TypeError('an attribute that could not be read cannot be written')
  writer.integer(20, ATTRIBUTE_TYPE[attribute.kind])
}

const writeNode = (writer: WireWriter, node: OnnxNode): void => {
  for (const input of node.inputs) writer.text(1, input)
  for (const output of node.outputs) writer.text(2, output)
  writer.text(3, node.name)
  writer.text(4, node.opType)
  for (const [name, attribute] of node.attributes) writer.message(5, (inner) => writeAttribute(inner, name, attribute))
  if (node.domain !== '') writer.text(7, node.domain)
}

const writeGraph = (writer: WireWriter, graph: OnnxGraph): void => {
  for (const node of graph.nodes) writer.message(1, (inner) => writeNode(inner, node))
  writer.text(2, graph.name)
  for (const tensor of graph.initializers) writer.message(5, (inner) => writeTensor(inner, tensor))
  for (const value of graph.inputs) writer.message(11, (inner) => writeValue(inner, value))
  for (const value of graph.outputs) writer.message(12, (inner) => writeValue(inner, value))
}

/** The bytes of an ONNX file. Equal models give equal bytes. */
export const encodeModel = (model: OnnxModel): Uint8Array =>
  writeWire((writer) => {
    writer.integer(1, model.irVersion)
    writer.text(2, model.producer)
    writer.message(7, (inner) => writeGraph(inner, model.graph))
    for (const [domain, version] of model.opsets) {
      writer.message(8, (opset) => {
        opset.text(1, domain)
        opset.integer(2, version)
      })
    }
    for (const [key, value] of model.metadata) {
      writer.message(14, (entry) => {
        entry.text(1, key)
        entry.text(2, value)
      })
    }
  })
