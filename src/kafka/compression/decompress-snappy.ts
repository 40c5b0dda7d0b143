import { BatchUnreadable } from '../kafka-errors.ts'
import { copyLiteral, copyMatch } from './copy-match.ts'

/** How xerial's Java library begins what it writes; a version and the oldest one that can read it follow. */
const xerialMagic = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0x00])
const xerialHeaderBytes = xerialMagic.length + 8

const damaged = (what: string): BatchUnreadable => new BatchUnreadable(`a snappy batch is damaged: ${what}`)

/** The decompressed length that a block begins with, 7 bits a byte, lowest first, and where the block goes on. */
const readLength = (block: Buffer): { length: number; next: number } => {
  let length = 0
  for (let at = 0; at < Math.min(block.length, 5); at += 1) {
    const byte = block[at] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return { length, next: at + 1 }
  }
  throw damaged('a block tells no length')
}

/** One block of raw snappy: https://github.com/google/snappy/blob/main/format_description.txt */
const decompressBlock = (block: Buffer, maxBytes: number, wholeMaxBytes: number): Buffer => {
  const { length: expected, next: start } = readLength(block)
  if (expected > maxBytes) {
    throw new BatchUnreadable(`a snappy batch holds more than the ${wholeMaxBytes} bytes that one may have`)
  }
  const output = Buffer.allocUnsafe(expected)
  const end = block.length
  let filled = 0
  let at = start
  while (at < end) {
    const tag = block[at]!
    at += 1
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        // The length, less one, stands in the 1 to 4 bytes that follow.
        const bytes = length - 60
        if (at + bytes > end) throw damaged('it ends within a length')
        length = block.readUIntLE(at, bytes) + 1
        at += bytes
      }
      if (at + length > end || filled + length > expected) throw damaged('a literal is too long')
      copyLiteral(block, at, length, output, filled)
      filled += length
      at += length
      continue
    }
    const bytes = kind === 3 ? 4 : kind
    if (at + bytes > end) throw damaged('it ends within an offset')
    let length = (tag >>> 2) + 1
    let offset = block[at]!
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4
      offset += (tag >>> 5) << 8
    } else {
      offset = kind === 2 ? offset | (block[at + 1]! << 8) : block.readUInt32LE(at)
    }
    at += bytes
    if (offset === 0 || offset > filled) throw damaged('it repeats what is not there')
    if (filled + length > expected) throw damaged('a block is longer than it says')
    copyMatch(output, filled, offset, length)
    filled += length
  }
  if (filled !== expected) throw damaged('a block is shorter than it says')
  return output
}

/**
 * Decompresses a batch in either of the two forms that producers write: raw, as librdkafka does, or in xerial's
 * frame of blocks with their lengths, as the Java client does.
 * @throws BatchUnreadable if it is damaged or holds more than `maxBytes`
 */
export const decompressSnappy = (bytes: Buffer, maxBytes: number): Buffer => {
  // No raw block begins so: after the length there would be a copy, before there is anything to copy.
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return decompressBlock(bytes, maxBytes, maxBytes)
  const blocks: Buffer[] = []
  let total = 0
  let at = xerialHeaderBytes
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw damaged('it ends within the length of a block')
    const length = bytes.readUInt32BE(at)
    const end = at + 4 + length
    if (end > bytes.length) throw damaged('it ends within a block')
    const block = decompressBlock(bytes.subarray(at + 4, end), maxBytes - total, maxBytes)
    blocks.push(block)
    total += block.length
    at = end
  }
  return Buffer.concat(blocks, total)
}
