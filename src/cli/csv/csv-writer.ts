import { BYTES } from './record-fields.ts'

const CACHE_SLOTS = 1 << 14
/** The longest number that JavaScript writes, -1.2345678901234567e-300, has 24 characters. */
const SLOT_BYTES = 32
const ROOM_AHEAD = 64

/** Writes CSV into one buffer that grows and is used again. */
export type CsvWriter = {
  readonly comma: () => void
  readonly endLine: () => void
  /** The shortest decimal that reads back as the same double; nothing for NaN, which stands for a missing value. */
  readonly number: (value: number) => void
  /** Text that is CSV already. */
  readonly bytes: (source: Uint8Array, from: number, to: number) => void
  /** Bytes since the last call of `take`. */
  readonly length: () => number
  /** A view, until more is written, of what came after the first `length` bytes. */
  readonly since: (length: number) => Uint8Array
  /** What was written since the last call, in a buffer of its own. */
  readonly take: () => Uint8Array<ArrayBuffer>
}

/** A field as CSV: quoted where it has to be. */
export const csvField = (text: string): string =>
  /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

/**
 * Scores repeat: a forest of 100 trees with pure leaves knows 101 probabilities. So the text of a number is kept in a
 * table of `CACHE_SLOTS` places, found by a hash of its bits, where the last number that came to a place stays.
 */
export const createCsvWriter = (initialBytes = 1 << 20): CsvWriter => {
  let out = new Uint8Array(initialBytes)
  let length = 0

  const keys = new Float64Array(CACHE_SLOTS)
  const texts = new Uint8Array(CACHE_SLOTS * SLOT_BYTES)
  const textLengths = new Uint8Array(CACHE_SLOTS)
  const scratch = new Float64Array(1)
  const bits = new Int32Array(scratch.buffer)

  const makeRoom = (bytes: number): void => {
    if (length + bytes <= out.length) return
    const larger = new Uint8Array(Math.max(out.length * 2, length + bytes))
    larger.set(out.subarray(0, length))
    out = larger
  }

  const fillSlot = (slot: number, value: number): void => {
    const text = String(value)
    const from = slot * SLOT_BYTES
    for (let i = 0; i < text.length; i++) texts[from + i] = text.charCodeAt(i)
    textLengths[slot] = text.length
    keys[slot] = value
  }

  return {
    comma: () => {
      makeRoom(ROOM_AHEAD)
      out[length++] = BYTES.comma
    },
    endLine: () => {
      makeRoom(ROOM_AHEAD)
      out[length++] = BYTES.lineFeed
    },
    number: (value) => {
      if (Number.isNaN(value)) return
      makeRoom(ROOM_AHEAD)
      scratch[0] = value
      const mixed = Math.imul(bits[0]! ^ Math.imul(bits[1]!, 0x9e3779b1), 0x85ebca6b)
      const slot = (mixed ^ (mixed >>> 15)) & (CACHE_SLOTS - 1)
      if (keys[slot] !== value || textLengths[slot] === 0) fillSlot(slot, value)
      const from = slot * SLOT_BYTES
      const size = textLengths[slot]!
      for (let i = 0; i < size; i++) out[length + i] = texts[from + i]!
      length += size
    },
    bytes: (source, from, to) => {
      const size = to - from
      makeRoom(size + ROOM_AHEAD)
      if (size > ROOM_AHEAD) out.set(source.subarray(from, to), length)
      else for (let i = 0; i < size; i++) out[length + i] = source[from + i]!
      length += size
    },
    length: () => length,
    since: (start) => out.subarray(start, length),
    take: () => {
      const taken = out.slice(0, length)
      length = 0
      return taken
    },
  }
}
