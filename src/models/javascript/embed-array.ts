type Numbers = Float64Array | Int32Array | Uint16Array | Uint8Array

const base64 = (values: Numbers): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')

/** A typed array as an expression of JavaScript, by `f64`, `i32`, `u16` or `u8` of `DECODERS`. */
const embed = (values: Numbers): string => {
  const decoder =
    values instanceof Float64Array
      ? 'f64'
      : values instanceof Int32Array
        ? 'i32'
        : values instanceof Uint16Array
          ? 'u16'
          : 'u8'
  return `${decoder}('${base64(values)}')`
}

/** Numbers as they are: every bit comes back. */
export const embedNumbers = (values: ArrayLike<number>): string => embed(Float64Array.from(values))

/** Whole numbers, in the smallest array that holds them. */
export const embedIntegers = (values: ArrayLike<number>): string => {
  let least = 0
  let greatest = 0
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!)
    greatest = Math.max(greatest, values[i]!)
  }
  if (least === 0 && greatest === 0) return `new Uint8Array(${values.length})`
  if (least < 0 || greatest > 0xffff) return embed(Int32Array.from(values))
  return embed(greatest > 0xff ? Uint16Array.from(values) : Uint8Array.from(values))
}

/**
 * Text, or lists of it, as an expression that means the same wherever it stands: in a module, in a page's script, in a
 * template. JSON is JavaScript since ES2019; `<` is escaped so that no text ends a script element.
 */
export const embedJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** What turns embedded arrays back. Base64 holds little-endian bytes, which is what browsers and servers have. */
export const DECODERS = `const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer
const f64 = (text) => new Float64Array(bytes(text))
const i32 = (text) => new Int32Array(bytes(text))
const u16 = (text) => new Uint16Array(bytes(text))
const u8 = (text) => new Uint8Array(bytes(text))`
