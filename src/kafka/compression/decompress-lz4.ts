import { BatchUnreadable } from '../kafka-errors.ts'
import { copyLiteral, copyMatch } from './copy-match.ts'

const frameMagic = 0x184d2204
const flag = { dictionary: 0x01, contentSize: 0x08, blockChecksum: 0x10 } as const
const versionMask = 0xc0
const supportedVersion = 0x40
/** The largest block of a frame, by the number that stands for it. */
const blockBytesByCode: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 }
const storedBit = 0x8000_0000
const minMatchBytes = 4

const damaged = (what: string): BatchUnreadable => new BatchUnreadable(`an lz4 batch is damaged: ${what}`)

const blockTooLong = (): BatchUnreadable => damaged('a block is longer than the frame allows')

type FrameHeader = { maxBlockBytes: number; checksumBytes: number; next: number }

const readHeader = (bytes: Buffer): FrameHeader => {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== frameMagic) throw damaged('no frame begins there')
  const flags = bytes[4] ?? 0
  if ((flags & versionMask) !== supportedVersion) throw damaged('its frame is of an unknown version')
  if (flags & flag.dictionary) throw new BatchUnreadable('an lz4 batch needs a dictionary, which Kafka has none of')
  const maxBlockBytes = blockBytesByCode[((bytes[5] ?? 0) >>> 4) & 7]
  if (maxBlockBytes === undefined) throw damaged('its blocks have no known size')
  return {
    maxBlockBytes,
    checksumBytes: flags & flag.blockChecksum ? 4 : 0,
    // Two bytes of flags and one that is their checksum.
    next: 4 + 2 + (flags & flag.contentSize ? 8 : 0) + 1,
  }
}

type Output = { bytes: Buffer; filled: number }

/** Makes room for one more block at most, so that a frame cannot ask for more memory than it fills. */
const makeRoom = (output: Output, needed: number, maxBytes: number): void => {
  if (output.bytes.length >= needed) return
  const grown = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, output.bytes.length * 2)))
  output.bytes.copy(grown, 0, 0, output.filled)
  output.bytes = grown
}

/** What a length goes on with: bytes to be added, up to the first that is not 255. Returns where they end. */
const extraEnd = (block: Buffer, at: number): number => {
  let next = at
  while (block[next] === 255) next++
  if (next >= block.length) throw damaged('it ends within a block')
  return next + 1
}

const extraOf = (block: Buffer, at: number, end: number): number => (end - at - 1) * 255 + block[end - 1]!

/**
 * Appends one block to the output. A match may begin in an earlier block: those of a frame whose blocks are linked do.
 * @param limit where the output may end at most
 * @param tooLong what to say if it would be longer
 */
const appendBlock = (block: Buffer, output: Output, limit: number, tooLong: () => BatchUnreadable): void => {
  const target = output.bytes
  const end = block.length
  let { filled } = output
  let at = 0
  while (at < end) {
    const token = block[at]!
    at += 1
    let literals = token >>> 4
    if (literals === 15) {
      const next = extraEnd(block, at)
      literals += extraOf(block, at, next)
      at = next
    }
    if (at + literals > end) throw damaged('it ends within a literal')
    if (filled + literals > limit) throw tooLong()
    copyLiteral(block, at, literals, target, filled)
    filled += literals
    at += literals
    // The last sequence is a literal alone.
    if (at === end) break
    if (at + 2 > end) throw damaged('it ends within a block')
    const offset = block[at]! | (block[at + 1]! << 8)
    at += 2
    let length = (token & 15) + minMatchBytes
    if ((token & 15) === 15) {
      const next = extraEnd(block, at)
      length += extraOf(block, at, next)
      at = next
    }
    if (offset === 0 || offset > filled) throw damaged('it repeats what is not there')
    if (filled + length > limit) throw tooLong()
    copyMatch(target, filled, offset, length)
    filled += length
  }
  output.filled = filled
}

/**
 * Decompresses the LZ4 frame of a batch: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * Its checksums are passed over: producers leave them out, as a batch has one of its own that the broker has checked.
 * @throws BatchUnreadable if it is damaged or holds more than `maxBytes`
 */
export const decompressLz4 = (bytes: Buffer, maxBytes: number): Buffer => {
  const { maxBlockBytes, checksumBytes, next } = readHeader(bytes)
  const tooLarge = () => new BatchUnreadable(`an lz4 batch holds more than the ${maxBytes} bytes that one may have`)
  const output: Output = { bytes: Buffer.alloc(0), filled: 0 }
  let at = next
  for (;;) {
    if (at + 4 > bytes.length) throw damaged('it ends before its last block')
    const word = bytes.readUInt32LE(at)
    at += 4
    if (word === 0) return output.bytes.subarray(0, output.filled)
    const stored = word >= storedBit
    const length = stored ? word - storedBit : word
    if (length > maxBlockBytes) throw damaged('a block is larger than the frame allows')
    if (at + length > bytes.length) throw damaged('it ends within a block')
    const block = bytes.subarray(at, at + length)
    const blockLimit = output.filled + (stored ? length : maxBlockBytes)
    const limit = Math.min(blockLimit, maxBytes)
    makeRoom(output, limit, maxBytes)
    if (!stored) {
      appendBlock(block, output, limit, limit < blockLimit ? tooLarge : blockTooLong)
    } else if (limit < blockLimit) {
      throw tooLarge()
    } else {
      output.filled += block.copy(output.bytes, output.filled)
    }
    at += length + checksumBytes
  }
}
