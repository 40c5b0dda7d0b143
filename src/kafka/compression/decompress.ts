import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { BatchUnreadable } from '../kafka-errors.ts'
import { codecs } from './codecs.ts'
import { decompressLz4 } from './decompress-lz4.ts'
import { decompressSnappy } from './decompress-snappy.ts'

const withZlib = (
  name: string,
  inflate: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer,
  bytes: Buffer,
  maxBytes: number,
): Buffer => {
  try {
    return inflate(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    const what = tooLarge ? `holds more than the ${maxBytes} bytes that one may have` : 'is damaged'
    throw new BatchUnreadable(`a ${name} batch ${what}`, { cause })
  }
}

/**
 * The records of a compressed batch. Blocks the process meanwhile: a few milliseconds for a batch of usual size.
 * @param codec the number in the batch's attributes
 * @throws BatchUnreadable if they are damaged, hold more than `maxBytes`, or the codec is unknown
 */
export const decompressRecords = (codec: number, bytes: Buffer, maxBytes: number): Buffer => {
  switch (codec) {
    case codecs.gzip:
      return withZlib('gzip', gunzipSync, bytes, maxBytes)
    case codecs.snappy:
      return decompressSnappy(bytes, maxBytes)
    case codecs.lz4:
      return decompressLz4(bytes, maxBytes)
    case codecs.zstd:
      return withZlib('zstd', zstdDecompressSync, bytes, maxBytes)
    default:
      throw new BatchUnreadable(`its compression number ${codec} is unknown`)
  }
}
