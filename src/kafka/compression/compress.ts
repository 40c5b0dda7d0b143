import { gzipSync, zstdCompressSync } from 'node:zlib'
import { wasmCompressions } from '../library-parts.ts'
import { codecs } from './codecs.ts'

/** How xerial's Java library begins what it writes: its name, its version, and the oldest version that reads it. */
const xerialHeader = Buffer.from('82534e41505059000000000100000001', 'hex')
const xerialBlockBytes = 32 * 1024

/** Snappy in xerial's frame of blocks with their lengths, which every client knows. */
const compressSnappy = (records: Buffer): Buffer => {
  const parts: Buffer[] = [xerialHeader]
  for (let at = 0; at < records.length; at += xerialBlockBytes) {
    const block = wasmCompressions().snappy(records.subarray(at, at + xerialBlockBytes))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/**
 * Compresses the records of a batch as Kafka's own clients frame them.
 * @param codec the number that goes into the batch's attributes
 */
export const compressRecords = (codec: number, records: Buffer): Buffer => {
  switch (codec) {
    case codecs.gzip:
      return gzipSync(records)
    case codecs.snappy:
      return compressSnappy(records)
    case codecs.lz4:
      return wasmCompressions().lz4(records)
    case codecs.zstd:
      return zstdCompressSync(records)
    default:
      throw new RangeError(`there is no compression ${codec}`)
  }
}
