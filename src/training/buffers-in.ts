/** The buffers of all arrays in a piece of plain data, each once, but for those that threads share: what can be moved. */
export const buffersIn = (data: unknown): ArrayBuffer[] => {
  const found = new Set<ArrayBuffer>()
  const collect = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer) found.add(value.buffer)
    } else if (typeof value === 'object' && value !== null) {
      for (const part of Object.values(value)) collect(part)
    }
  }
  collect(data)
  return [...found]
}
