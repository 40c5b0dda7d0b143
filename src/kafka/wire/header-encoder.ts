import type { OutgoingRecord } from '../kafka-types.ts'
import { writeVarint } from './varint.ts'

type Headers = NonNullable<OutgoingRecord['headers']>

/** Encodes the headers of one record into memory of its own, which the next record takes again. */
export type HeaderEncoder = {
  /** Where they were written: from 0 to the returned end. */
  readonly bytes: () => Buffer
  /** @returns how many bytes the headers and their number take */
  readonly encode: (headers: Headers | undefined) => number
}

const FIRST_BYTES = 1024

/** Few names occur; whoever makes up ever new ones is not remembered. */
const MAX_KNOWN_NAMES = 1000

/** Below it, a loop is faster than the two calls of the runtime that measure and write a text. */
const LOOP_CHARACTERS = 64

/** A length and what no character of UTF-16 exceeds in UTF-8. */
const bytesAtMost = (value: Uint8Array | string): number =>
  5 + (typeof value === 'string' ? 3 * value.length : value.byteLength)

/** Writes text with its length before it. @returns where the next byte goes */
const writeText = (target: Buffer, text: string, at: number): number => {
  const characters = text.length
  if (characters <= LOOP_CHARACTERS) {
    // A byte of length, as long as every character is one byte.
    const start = writeVarint(target, characters, at)
    let all = 0
    for (let i = 0; i < characters; i++) {
      const code = text.charCodeAt(i)
      all |= code
      target[start + i] = code
    }
    if (all < 0x80) return start + characters
  }
  const length = Buffer.byteLength(text)
  const start = writeVarint(target, length, at)
  return start + target.write(text, start, length, 'utf8')
}

const writeBytes = (target: Buffer, bytes: Uint8Array, at: number): number => {
  const next = writeVarint(target, bytes.byteLength, at)
  target.set(bytes, next)
  return next + bytes.byteLength
}

export const createHeaderEncoder = (): HeaderEncoder => {
  const known = new Map<string, Buffer>()
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** A name with its length before it. */
  const encodedName = (name: string): Buffer => {
    const found = known.get(name)
    if (found !== undefined) return found
    const target = Buffer.alloc(bytesAtMost(name))
    const encoded = target.subarray(0, writeText(target, name, 0))
    if (known.size < MAX_KNOWN_NAMES) known.set(name, encoded)
    return encoded
  }

  const makeRoom = (used: number, more: number): void => {
    if (used + more <= bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(used + more, 2 * bytes.length))
    bytes.copy(grown, 0, 0, used)
    bytes = grown
  }

  return {
    bytes: () => bytes,
    encode: (headers) => {
      let count = 0
      for (const _ in headers) count++
      let at = writeVarint(bytes, count, 0)
      for (const name in headers) {
        const value = headers[name]!
        const prefix = encodedName(name)
        makeRoom(at, prefix.length + bytesAtMost(value))
        for (let i = 0; i < prefix.length; i++) bytes[at + i] = prefix[i]!
        at += prefix.length
        at = typeof value === 'string' ? writeText(bytes, value, at) : writeBytes(bytes, value, at)
      }
      return at
    },
  }
}
