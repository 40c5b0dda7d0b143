/**
 * As much of the WebAssembly binary format as the forest kernel needs: expressions that yield one value, statements
 * that yield none, and a module of functions over one imported memory. Everything is bytes; an expression is written
 * as a call, and its operands come first in the bytes, as the stack machine wants them.
 * Opcodes and sections: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */
export type Code = readonly number[]

/** Parameters and results are of 32 bits, and so are locals that hold no float64. */
const I32 = 0x7f
const F64 = 0x7c
const EMPTY_BLOCK = 0x40
const END = 0x0b

/** Unsigned LEB128 of a whole number below 2^32. */
const unsigned = (value: number): Code => {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return bytes
}

/** Signed LEB128 of a 32-bit whole number. */
const signed = (value: number): Code => {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = rest & 0x7f
    rest >>= 7
    // The last byte's second-highest bit is the sign.
    if (rest === (byte & 0x40 ? -1 : 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

/** Reads or writes at `address + offset`; the alignment is a hint, as a power of 2. */
const access = (opcode: number, alignment: number, offset: number): Code => [opcode, alignment, ...unsigned(offset)]

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)]
/** Sets a local, and is its new value. */
export const tee = (local: number, value: Code): Code => [...value, 0x22, ...unsigned(local)]

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset: number): Code => [...address, ...access(0x28, 2, offset)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  sub: (a: Code, b: Code): Code => [...a, ...b, 0x6b],
  mul: (a: Code, b: Code): Code => [...a, ...b, 0x6c],
  shl: (a: Code, bits: number): Code => [...a, ...i32.const(bits), 0x74],
  /** As an unsigned number. */
  shiftRight: (a: Code, bits: number): Code => [...a, ...i32.const(bits), 0x76],
  and: (a: Code, b: Code): Code => [...a, ...b, 0x71],
  or: (a: Code, b: Code): Code => [...a, ...b, 0x72],
  xor: (a: Code, b: Code): Code => [...a, ...b, 0x73],
  /** 1 where a = b, else 0. */
  equal: (a: Code, b: Code): Code => [...a, ...b, 0x46],
  /** 1 where a < b as unsigned numbers, else 0. */
  below: (a: Code, b: Code): Code => [...a, ...b, 0x49],
  /** 1 where a >= b as unsigned numbers, else 0. */
  notBelow: (a: Code, b: Code): Code => [...a, ...b, 0x4f],
}

export const i64 = {
  load: (address: Code, offset: number): Code => [...address, ...access(0x29, 3, offset)],
  and: (a: Code, b: Code): Code => [...a, ...b, 0x83],
  /** Zeros below the lowest bit that is set, as an i32: 64 where none is. */
  trailingZeros: (a: Code): Code => [...a, 0x7a, 0xa7],
}

export const f64 = {
  load: (address: Code, offset: number): Code => [...address, ...access(0x2b, 3, offset)],
  store: (address: Code, value: Code, offset: number): Code => [...address, ...value, ...access(0x39, 3, offset)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0xa0],
  /** 1 where a <= b, else 0; 0 where either is NaN. */
  atMost: (a: Code, b: Code): Code => [...a, ...b, 0x65],
  /** 1 where a is NaN, else 0. */
  isNaN: (a: Code): Code => [...a, ...a, 0x62],
}

/** The first value where the condition is not 0, else the second. */
export const select = (condition: Code, value: Code, otherwise: Code): Code => [
  ...value,
  ...otherwise,
  ...condition,
  0x1b,
]

/** Runs the statements once, and again as long as the condition at their end is not 0. */
export const doWhile = (statements: readonly Code[], condition: Code): Code => [
  ...[0x03, EMPTY_BLOCK],
  ...statements.flat(),
  ...condition,
  ...[0x0d, 0x00],
  END,
]

/** A function; parameters have 32 bits, and so has its result, the value at the end of its body. */
export type WasmFunction = {
  readonly name: string
  readonly parameters: number
  readonly results: 0 | 1
  /** Of 32 bits. */
  readonly locals: number
  /** Further locals, which are float64 and come last. */
  readonly floats?: number
  readonly body: readonly Code[]
}

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes]
const text = (ascii: string): Code => sized([...ascii].map((letter) => letter.charCodeAt(0)))
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))]

/** So many values of 32 bits. */
const words = (count: number): Code => list(Array.from({ length: count }, () => [I32]))

/** A module that exports the functions and imports its memory as `host.memory`. */
export const assembleModule = (functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    // The magic word and version 1.
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      functions.map(({ parameters, results }) => [0x60, ...words(parameters), ...words(results)]),
    ),
    ...section(2, [[...text('host'), ...text('memory'), 0x02, 0x00, 0x00]]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(
      10,
      functions.map(({ locals, floats = 0, body }) => {
        const kinds = [
          [...unsigned(locals), I32],
          [...unsigned(floats), F64],
        ]
        return sized([...list(kinds), ...body.flat(), END])
      }),
    ),
  ])
