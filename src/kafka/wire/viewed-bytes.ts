/** A buffer and a view of it, through which 8 bytes at a time are copied. */
export type ViewedBytes = { buffer: Buffer; view: DataView }

const viewOf = (buffer: Buffer): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)

export const viewedBytes = (buffer: Buffer): ViewedBytes => ({ buffer, view: viewOf(buffer) })

/** Looks at another buffer, if it is another one. */
export const look = (viewed: ViewedBytes, buffer: Buffer): void => {
  if (viewed.buffer === buffer) return
  viewed.buffer = buffer
  viewed.view = viewOf(buffer)
}

/** Above it, the runtime's copy is faster: a call of it takes 40 ns, whatever it copies, and 8 bytes here take 2 ns. */
const MOST_VIEWED_BYTES = 160

/**
 * Copies the bytes of a short field, which both buffers must have room for.
 * @returns where the next byte goes
 */
export const copyBytes = (source: ViewedBytes, from: number, end: number, target: ViewedBytes, at: number): number => {
  const length = end - from
  if (length > MOST_VIEWED_BYTES) {
    source.buffer.copy(target.buffer, at, from, end)
    return at + length
  }
  let i = 0
  for (; i + 8 <= length; i += 8) target.view.setBigInt64(at + i, source.view.getBigInt64(from + i))
  for (; i < length; i++) target.buffer[at + i] = source.buffer[from + i]!
  return at + length
}
