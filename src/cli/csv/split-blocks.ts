import { DatasetInvalid } from '../../features/dataset.ts'
import { BYTES } from './record-fields.ts'

/** A record that is longer than this has an opening quote without a closing one. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024

const isBlank = (byte: number | undefined): boolean =>
  byte === BYTES.space || byte === BYTES.tab || byte === BYTES.carriageReturn

/** The end of the last whole record in bytes that hold quotes: a line feed inside a quoted field ends none. */
const lastEndAmongQuotes = (bytes: Uint8Array): number => {
  let last = 0
  let quoted = false
  let fieldBegins = true
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (quoted) {
      if (byte !== BYTES.quote) continue
      if (bytes[at + 1] === BYTES.quote) at++
      else quoted = false
    } else if (byte === BYTES.quote) {
      quoted = fieldBegins
      fieldBegins = false
    } else if (byte === BYTES.lineFeed) {
      last = at + 1
      fieldBegins = true
    } else if (byte === BYTES.comma) fieldBegins = true
    else if (!isBlank(byte)) fieldBegins = false
  }
  return last
}

/** Where the last whole record ends; 0 where there is none yet. */
const lastRecordEnd = (bytes: Uint8Array): number =>
  bytes.includes(BYTES.quote) ? lastEndAmongQuotes(bytes) : bytes.lastIndexOf(BYTES.lineFeed) + 1

const concat = (first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

/**
 * Cuts a stream of CSV into blocks of whole records, each with a buffer of its own and a line feed at its end.
 * @param label what errors call the stream
 * @throws DatasetInvalid where a record does not end within 16 MiB
 */
export async function* splitBlocks(
  chunks: AsyncIterable<Uint8Array>,
  label: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = concat(rest, chunk)
    const end = lastRecordEnd(bytes)
    rest = bytes.slice(end)
    if (end > 0) yield bytes.subarray(0, end)
    if (rest.length > MAX_RECORD_BYTES) {
      throw new DatasetInvalid(
        `${label} has a record of more than ${MAX_RECORD_BYTES / 2 ** 20} MiB: a quote is opened and never closed`,
      )
    }
  }
  if (rest.length > 0) yield concat(rest, Uint8Array.of(BYTES.lineFeed))
}
