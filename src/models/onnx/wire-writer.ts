/** Writes the fields of one protobuf message, in the order of the calls. Protocol Buffers, "Encoding". */
export type WireWriter = {
  /** A whole number of at most 2^53 either way. */
  readonly integer: (field: number, value: number) => void
  readonly float: (field: number, value: number) => void
  readonly bytes: (field: number, value: Uint8Array) => void
  readonly text: (field: number, value: string) => void
  readonly message: (field: number, write: (writer: WireWriter) => void) => void
  /** Each writes a packed list. */
  readonly integers: (field: number, values: ArrayLike<number>) => void
  readonly floats: (field: number, values: ArrayLike<number>) => void
}

type Chunks = { readonly parts: Uint8Array[]; length: number }

const varintInto = (out: number[], value: number): void => {
  // Negative numbers are written as 64-bit two's complement: ten bytes.
  let low = value >>> 0
  let high = Math.floor(value / 2 ** 32) >>> 0
  while (high > 0 || low > 0x7f) {
    out.push((low & 0x7f) | 0x80)
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  out.push(low)
}

const createWriter = (chunks: Chunks): WireWriter => {
  const add = (part: Uint8Array): void => {
    chunks.parts.push(part)
    chunks.length += part.byteLength
  }
  const addNumbers = (...values: number[]): void => {
    const out: number[] = []
    for (const value of values) varintInto(out, value)
    add(Uint8Array.from(out))
  }
  const addBytes = (field: number, value: Uint8Array): void => {
    addNumbers(field * 8 + 2, value.byteLength)
    add(value)
  }
  return {
    integer: (field, value) => addNumbers(field * 8, value),
    float: (field, value) => {
      addNumbers(field * 8 + 5)
      const part = new Uint8Array(4)
      new DataView(part.buffer).setFloat32(0, value, true)
      add(part)
    },
    bytes: addBytes,
    text: (field, value) => addBytes(field, new TextEncoder().encode(value)),
    message: (field, write) => {
      const inner: Chunks = { parts: [], length: 0 }
      write(createWriter(inner))
      addNumbers(field * 8 + 2, inner.length)
      for (const part of inner.parts) chunks.parts.push(part)
      chunks.length += inner.length
    },
    integers: (field, values) => {
      const out: number[] = []
      for (let i = 0; i < values.length; i++) varintInto(out, values[i]!)
      addBytes(field, Uint8Array.from(out))
    },
    floats: (field, values) => {
      const view = new DataView(new ArrayBuffer(values.length * 4))
      for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i]!, true)
      addBytes(field, new Uint8Array(view.buffer))
    },
  }
}

/** The bytes of one message. */
export const writeWire = (write: (writer: WireWriter) => void): Uint8Array => {
  const chunks: Chunks = { parts: [], length: 0 }
  write(createWriter(chunks))
  const bytes = new Uint8Array(chunks.length)
  let at = 0
  for (const part of chunks.parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
