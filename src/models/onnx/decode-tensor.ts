import { ELEMENT, type OnnxTensor } from './onnx-model.ts'
import { OnnxRefused } from './onnx-refused.ts'
import type { WireReader } from './wire-reader.ts'

type RawElement = { readonly bytes: number; readonly read: (view: DataView, at: number) => number }

/** How `raw_data` holds an element: little-endian, whatever the machine. */
const rawElements: Record<number, RawElement> = {
  [ELEMENT.float]: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  [ELEMENT.double]: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  [ELEMENT.uint8]: { bytes: 1, read: (view, at) => view.getUint8(at) },
  [ELEMENT.bool]: { bytes: 1, read: (view, at) => view.getUint8(at) },
  [ELEMENT.int32]: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  [ELEMENT.int64]: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
}

const readRaw = (raw: Uint8Array, elementType: number, name: string): Float64Array => {
  const element = rawElements[elementType]
  if (element === undefined) {
    throw new OnnxRefused(
      `tensor '${name}' has elements of type ${elementType}, which is not read; export it as numbers`,
    )
  }
  if (raw.byteLength % element.bytes !== 0) {
    throw new OnnxRefused(
      `tensor '${name}' has ${raw.byteLength} bytes, no multiple of ${element.bytes}; export it again`,
    )
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  return Float64Array.from({ length: raw.byteLength / element.bytes }, (_, i) => element.read(view, i * element.bytes))
}

const MAX_DIMENSIONS = 8

/** A TensorProto. @throws OnnxRefused if its parts contradict each other, or its data lie in another file */
export const decodeTensor = (reader: WireReader): OnnxTensor => {
  let name = ''
  let elementType = 0
  let raw: Uint8Array | undefined
  const dims: number[] = []
  const numbers: number[] = []
  const texts: string[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.integersInto(dims)
    if (field === 2) elementType = reader.integer()
    if (field === 4) reader.floatsInto(numbers)
    if (field === 5 || field === 7) reader.integersInto(numbers)
    if (field === 6) reader.textsInto(texts)
    if (field === 8) name = reader.text()
    if (field === 9) raw = reader.bytes()
    if (field === 10) reader.doublesInto(numbers)
    if (field === 13 || (field === 14 && reader.integer() !== 0)) {
      throw new OnnxRefused(`tensor '${name}' keeps its data in another file; export the model as one file`)
    }
  }
  const numeric = raw === undefined ? Float64Array.from(numbers) : readRaw(raw, elementType, name)
  const values = elementType === ELEMENT.string ? texts : numeric
  if (dims.length > MAX_DIMENSIONS) {
    throw new OnnxRefused(`tensor '${name}' has ${dims.length} dimensions; export the model again`)
  }
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (dims.some((dim) => dim < 0) || size !== values.length) {
    throw new OnnxRefused(`tensor '${name}' of shape [${dims}] holds ${values.length} elements; export the model again`)
  }
  return { name, dims, elementType, values }
}
