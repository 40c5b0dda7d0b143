import { OnnxRefused } from './onnx-refused.ts'

/** How the value of a field is laid out. Groups, which protobuf gave up, are refused. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** No list of a model that could be used here is longer. */
const MAX_LIST_LENGTH = 2 ** 24

/**
 * Most messages within one, however deep: far more than a forest has. A message of two bytes becomes an object of
 * hundreds, so without a limit a file of the greatest size would take more memory than there is.
 */
const MAX_MESSAGES = 2 ** 18

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads the fields of one protobuf message, one after another; a field that is not asked for is passed over. Every
 * read is checked against the end of the message. There is no recursion: who wants a message inside calls `message`.
 * Protocol Buffers, "Encoding". All functions throw OnnxRefused.
 */
export type WireReader = {
  /** Goes to the next field. @returns its number, or 0 at the end of the message */
  readonly next: () => number
  /** A whole number; one beyond 2^53 is refused. */
  readonly integer: () => number
  readonly float: () => number
  /** A view on the bytes. */
  readonly bytes: () => Uint8Array
  readonly text: () => string
  readonly message: () => WireReader
  readonly textsInto: (list: string[]) => void
  /** Each appends one element and those of the same field that follow at once, or all of a packed list. */
  readonly integersInto: (list: number[]) => void
  readonly floatsInto: (list: number[]) => void
  readonly doublesInto: (list: number[]) => void
}

/**
 * Reads the bytes of one message.
 * @param place what the message is, for error messages
 * @param budget messages that may still be opened within the outermost one
 */
export const readWire = (bytes: Uint8Array, place: string, budget = { messages: MAX_MESSAGES }): WireReader => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.byteLength
  let at = 0
  let tag = 0
  let field = 0
  let wire: number = WIRE.varint
  let start = 0
  let valueEnd = 0

  const refuse = (what: string): never => {
    throw new OnnxRefused(`${what} at byte ${at} of ${place}; the file is damaged or no ONNX model: export it again`)
  }

  /** Seven bits a byte, the least first. Low and high 32 bits apart: a number has no 64 bits. */
  const readVarint = (): number => {
    // Most numbers of a forest are one byte.
    if (at < end && bytes[at]! < 0x80) return bytes[at++]!
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) return refuse('a number is cut off')
      const byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else if (shift < 63) high |= bits << (shift - 32)
      else high |= (bits & 1) << 31
      if (byte < 0x80) {
        const value = (high | 0) * 2 ** 32 + (low >>> 0)
        if (!Number.isSafeInteger(value)) return refuse('there is a whole number beyond 2^53')
        return value
      }
    }
    return refuse('a number has more than ten bytes')
  }

  const passValue = (): void => {
    start = at
    if (wire === WIRE.varint) {
      readVarint()
      valueEnd = at
      return
    }
    let length = wire === WIRE.fixed64 ? 8 : 4
    if (wire === WIRE.bytes) {
      length = readVarint()
      start = at
    } else if (wire !== WIRE.fixed64 && wire !== WIRE.fixed32) refuse(`field ${field} has the unknown layout ${wire}`)
    if (length < 0 || length > end - at) refuse(`field ${field} has ${length} bytes, and ${end - at} are left`)
    at += length
    valueEnd = at
  }

  const expect = (wanted: number): void => {
    if (wire !== wanted) refuse(`field ${field} has layout ${wire} and should have ${wanted}`)
  }

  const view8 = (): Uint8Array => {
    expect(WIRE.bytes)
    return bytes.subarray(start, valueEnd)
  }

  const checkLength = (length: number): void => {
    if (length >= MAX_LIST_LENGTH) refuse(`the list in field ${field} has over ${MAX_LIST_LENGTH} elements`)
  }
  const append = (list: number[], element: number): void => {
    checkLength(list.length)
    list.push(element)
  }

  const text = (): string => {
    const encoded = view8()
    try {
      return decoder.decode(encoded)
    } catch {
      return refuse(`the text in field ${field} is not UTF-8`)
    }
  }

  /** @param size bytes of a packed element, 0 for a varint */
  const readList = (list: number[], single: number, size: number, read: () => number): void => {
    const stop = valueEnd
    at = start
    if (wire === single) {
      append(list, read())
      // Most files have a field for each element: those that follow at once are taken here, which is far faster.
      while (at < end && tag < 0x80 && bytes[at] === tag && end - at > size) {
        at++
        append(list, read())
      }
      return
    }
    expect(WIRE.bytes)
    if (size > 0 && (stop - start) % size !== 0) refuse(`the list in field ${field} ends within an element`)
    while (at < stop) append(list, read())
    if (at !== stop) refuse(`the list in field ${field} ends within an element`)
  }

  const nextFloat = (): number => {
    at += 4
    return view.getFloat32(at - 4, true)
  }
  const nextDouble = (): number => {
    at += 8
    return view.getFloat64(at - 8, true)
  }

  return {
    next: () => {
      if (at >= end) return 0
      tag = readVarint()
      field = Math.floor(tag / 8)
      wire = tag & 7
      if (tag < 8 || tag >= 2 ** 32) refuse(`there is no field ${field}`)
      passValue()
      return field
    },
    integer: () => {
      expect(WIRE.varint)
      at = start
      return readVarint()
    },
    float: () => {
      expect(WIRE.fixed32)
      return view.getFloat32(start, true)
    },
    bytes: view8,
    text,
    message: () => {
      if (--budget.messages < 0) refuse(`there are over ${MAX_MESSAGES} messages`)
      return readWire(view8(), `field ${field} of ${place}`, budget)
    },
    textsInto: (list) => {
      checkLength(list.length)
      list.push(text())
    },
    integersInto: (list) => readList(list, WIRE.varint, 0, readVarint),
    floatsInto: (list) => readList(list, WIRE.fixed32, 4, nextFloat),
    doublesInto: (list) => readList(list, WIRE.fixed64, 8, nextDouble),
  }
}
