import { varintEnd, varintValue } from './varint.ts'

const NO_HEADERS: Readonly<Record<string, Uint8Array>> = Object.freeze({})
const NUMBER_BYTES = 5

/**
 * The headers of one record. A name that stands there several times counts with its last value; one without a value
 * says nothing.
 * @param at where their number stands, or -1 for none
 * @param end where the record ends
 * @returns null if they do not fit the record
 */
export const readHeaders = (bytes: Buffer, at: number, end: number): Readonly<Record<string, Uint8Array>> | null => {
  if (at < 0) return NO_HEADERS
  const found = Object.create(null) as Record<string, Uint8Array>
  let position = varintEnd(bytes, at, NUMBER_BYTES)
  for (let left = varintValue(bytes, at, position); left !== 0; left--) {
    const nameStart = varintEnd(bytes, position, NUMBER_BYTES)
    const nameEnd = nameStart + varintValue(bytes, position, nameStart)
    if (left < 0 || nameEnd < nameStart || nameEnd >= end) return null
    const valueStart = varintEnd(bytes, nameEnd, NUMBER_BYTES)
    const length = varintValue(bytes, nameEnd, valueStart)
    position = valueStart + Math.max(length, 0)
    if (length < -1 || position > end) return null
    const name = bytes.toString('utf8', nameStart, nameEnd)
    if (length === -1) delete found[name]
    else found[name] = bytes.subarray(valueStart, position)
  }
  return position === end ? found : null
}
