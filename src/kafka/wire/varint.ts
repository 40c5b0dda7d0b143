/*
 * Kafka's varints: zigzag (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), then 7 bits a byte, lowest first.
 * https://protobuf.dev/programming-guides/encoding/#signed-ints
 */

/** The bytes that a length or count takes; -1 stands for null. */
export const varintBytes = (value: number): number => {
  if (value < 64) return 1
  if (value < 8192) return 2
  if (value < 1_048_576) return 3
  if (value < 134_217_728) return 4
  return 5
}

/**
 * Writes a length or count from -1 to 2^31 - 1.
 * @returns where the next byte goes
 */
export const writeVarint = (bytes: Buffer, value: number, at: number): number => {
  let rest = value < 0 ? 1 : (value << 1) >>> 0
  let next = at
  while (rest > 0x7f) {
    bytes[next++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[next++] = rest
  return next
}

/** The byte after the varint that begins there; `at` + `maxBytes` + 1 if it does not end in as many bytes. */
export const varintEnd = (bytes: Buffer, at: number, maxBytes: number): number => {
  let next = at
  const last = at + maxBytes
  while (next < last && (bytes[next]! & 0x80) !== 0) next++
  return next + 1
}

/** The value of the varint between two places, of up to 10 bytes; exact below 2^53. */
export const varintValue = (bytes: Buffer, at: number, end: number): number => {
  const odd = bytes[at]! & 1
  let half = (bytes[at]! & 0x7f) >>> 1
  let scale = 64
  for (let i = at + 1; i < end; i++) {
    half += (bytes[i]! & 0x7f) * scale
    scale *= 128
  }
  return odd === 0 ? half : -half - 1
}
