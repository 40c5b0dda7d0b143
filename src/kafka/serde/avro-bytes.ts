/** Copying fewer bytes one by one is faster than a call into the runtime. */
const SHORT_BYTES = 48

/** Copies `source` from `start` to `end` to `at`. @returns the byte after them */
export const copyBytes = (target: Buffer, at: number, source: Buffer, start: number, end: number): number => {
  if (end - start > SHORT_BYTES) {
    source.copy(target, at, start, end)
    return at + end - start
  }
  let to = at
  for (let i = start; i < end; i++) target[to++] = source[i]!
  return to
}

/**
 * Writes an Avro int or long: zig-zag, then seven bits a byte, the lowest first
 * (https://avro.apache.org/docs/1.12.0/specification/#primitive-types-1).
 * @param value whole, below 2^52 in magnitude
 * @returns the byte after it
 */
export const writeLong = (target: Buffer, at: number, value: number): number => {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let to = at
  while (rest > 0x7fffffff) {
    target[to++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 128)
  }
  let bits = rest | 0
  while (bits > 0x7f) {
    target[to++] = (bits & 0x7f) | 0x80
    bits >>>= 7
  }
  target[to++] = bits
  return to
}

/** Writes an Avro string. The target has room for three bytes a character and ten more. @returns the byte after it */
export const writeText = (target: Buffer, at: number, text: string): number => {
  const from = writeLong(target, at, Buffer.byteLength(text))
  return from + target.write(text, from)
}

const DIGITS_9 = 1e9

/** Writes a whole number, not negative, below 2^53 in decimal notation. @returns the byte after it */
export const writeDecimal = (target: Buffer, at: number, value: number): number => {
  const high = value < DIGITS_9 ? 0 : Math.floor(value / DIGITS_9)
  const from = high === 0 ? at : writeDecimal(target, at, high)
  let low = (value - high * DIGITS_9) | 0
  let digits = 9
  if (high === 0) {
    digits = 1
    for (let limit = 10; digits < 9 && low >= limit; limit *= 10) digits++
  }
  for (let i = from + digits - 1; i >= from; i--) {
    const next = (low / 10) | 0
    target[i] = 0x30 + low - next * 10
    low = next
  }
  return from + digits
}
