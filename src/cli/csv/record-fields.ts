/** The bytes that CSV is made of. */
export const BYTES = { lineFeed: 10, carriageReturn: 13, tab: 9, space: 32, quote: 34, comma: 44 } as const

/** How a field is written. */
export const QUOTING = {
  /** As it is. */
  none: 0,
  /** Between quotes, which are left out of its range. */
  quoted: 1,
  /** Between quotes, and each quote inside is written twice. */
  doubled: 2,
} as const

/** Where the fields of one record stand. Reused for every record: what it says holds until the next one is read. */
export type RecordFields = {
  count: number
  /** First byte of each value, without blanks around it and without its quotes. */
  readonly starts: Int32Array
  /** The byte after each value. */
  readonly ends: Int32Array
  readonly quoting: Uint8Array
  /** Line feeds in the record, with the one at its end. */
  lines: number
  /** The byte after the last one of its text: before the end of the line. */
  end: number
  /** What is wrong with its quotes, or null. */
  fault: string | null
}

/** @param columns fields that are kept; those beyond are only counted */
export const createRecordFields = (columns: number): RecordFields => ({
  count: 0,
  starts: new Int32Array(columns),
  ends: new Int32Array(columns),
  quoting: new Uint8Array(columns),
  lines: 0,
  end: 0,
  fault: null,
})

const isBlank = (byte: number): boolean => byte === BYTES.space || byte === BYTES.tab || byte === BYTES.carriageReturn

const onlyBlanks = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (!isBlank(bytes[at]!)) return false
  return true
}

const store = (fields: RecordFields, from: number, to: number, quoting: number): void => {
  const { count } = fields
  fields.count = count + 1
  if (count >= fields.starts.length) return
  fields.starts[count] = from
  fields.ends[count] = to
  fields.quoting[count] = quoting
}

const storeTrimmed = (fields: RecordFields, bytes: Uint8Array, from: number, to: number): void => {
  let start = from
  let end = to
  while (start < end && isBlank(bytes[start]!)) start++
  while (end > start && isBlank(bytes[end - 1]!)) end--
  store(fields, start, end, QUOTING.none)
}

/**
 * Reads a field whose quote opens at `quote`. Blanks may stand around the quotes, nothing else.
 * @returns the place of the comma or line feed that ends the field
 */
const readQuoted = (fields: RecordFields, bytes: Uint8Array, quote: number, end: number): number => {
  let at = quote + 1
  let quoting: number = QUOTING.quoted
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte === BYTES.lineFeed) fields.lines++
    if (byte !== BYTES.quote) continue
    if (bytes[at + 1] !== BYTES.quote) break
    quoting = QUOTING.doubled
    at++
  }
  if (at >= end) {
    fields.fault = 'a quote is opened and never closed'
    // The last byte is the line feed that ends the file.
    store(fields, quote + 1, end - 1, quoting)
    return end - 1
  }
  store(fields, quote + 1, at, quoting)
  const closed = at + 1
  at = closed
  while (bytes[at] !== BYTES.comma && bytes[at] !== BYTES.lineFeed) at++
  if (!onlyBlanks(bytes, closed, at)) fields.fault = 'there is text after a closing quote'
  return at
}

/**
 * Finds the fields of the record that begins at `at` (RFC 4180; lines may end with LF or CRLF, blanks around a field are
 * not part of it). Looks at each byte once and allocates nothing.
 * @param end the byte after the last record; `bytes[end - 1]` is a line feed
 * @returns where the next record begins
 */
export const readRecord = (bytes: Uint8Array, at: number, end: number, fields: RecordFields): number => {
  fields.count = 0
  fields.lines = 1
  fields.fault = null
  let start = at
  for (let here = at; ; here++) {
    const byte = bytes[here]!
    if (byte === BYTES.comma) {
      storeTrimmed(fields, bytes, start, here)
      start = here + 1
    } else if (byte === BYTES.lineFeed) {
      storeTrimmed(fields, bytes, start, here)
      fields.end = here
      return here + 1
    } else if (byte === BYTES.quote) {
      if (!onlyBlanks(bytes, start, here)) {
        fields.fault = 'a quote stands inside a field that does not begin with one'
        continue
      }
      here = readQuoted(fields, bytes, here, end)
      if (bytes[here] === BYTES.lineFeed) {
        fields.end = here
        return here + 1
      }
      start = here + 1
    }
  }
}

/** Whether a record is an empty line, which says nothing. */
export const isEmptyLine = ({ count, starts, ends, quoting }: RecordFields): boolean =>
  count === 1 && starts[0] === ends[0] && quoting[0] === QUOTING.none

const decoder = new TextDecoder()

/** The text of a field. */
export const fieldText = (bytes: Uint8Array, fields: RecordFields, column: number): string => {
  const text = decoder.decode(bytes.subarray(fields.starts[column]!, fields.ends[column]!))
  return fields.quoting[column] === QUOTING.doubled ? text.replaceAll('""', '"') : text
}
