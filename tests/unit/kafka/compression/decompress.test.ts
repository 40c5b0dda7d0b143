import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { MAX_BATCH_BYTES, codecs as numbers } from '../../../../src/kafka/compression/codecs.ts'
import { compressRecords } from '../../../../src/kafka/compression/compress.ts'
import { decompressRecords } from '../../../../src/kafka/compression/decompress.ts'

const require = createRequire(import.meta.url)
// An independent writer of raw snappy, which has no types.
const { compress: rawSnappy } = require('snappyjs') as { compress: (bytes: Buffer) => Buffer }

const readersUpTo = (maxBytes: number) => ({
  gzip: (bytes: Buffer) => decompressRecords(numbers.gzip, bytes, maxBytes),
  snappy: (bytes: Buffer) => decompressRecords(numbers.snappy, bytes, maxBytes),
  lz4: (bytes: Buffer) => decompressRecords(numbers.lz4, bytes, maxBytes),
  zstd: (bytes: Buffer) => decompressRecords(numbers.zstd, bytes, maxBytes),
})
const read = readersUpTo(MAX_BATCH_BYTES)
const lines = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => `{"event_id":"e-${i}","x":${(i * 7919) % 1000}}`).join('\n'))
const content = lines(4000)

const uint32LE = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Blocks of 32 KiB after a header with versions, as the Java client's library frames them. */
const xerial = (bytes: Buffer): Buffer<ArrayBuffer> => {
  const parts: Uint8Array[] = [Buffer.from('82534e41505059000000000100000001', 'hex')]
  for (let at = 0; at < bytes.length; at += 32 * 1024) {
    const block = rawSnappy(bytes.subarray(at, at + 32 * 1024))
    parts.push(uint32LE(block.length).reverse(), block)
  }
  return Buffer.concat(parts)
}

const unreadable = (says: RegExp) => ({
  code: 'BATCH_UNREADABLE',
  retriable: false,
  message: expect.stringMatching(says),
})

describe('snappy', () => {
  test.each([
    ['raw', rawSnappy],
    ['in the frame of xerial', xerial],
  ])('%s comes back as it was', (_, pack) => {
    for (const bytes of [content, Buffer.from('x'), Buffer.alloc(100_000)]) {
      expect(read.snappy(pack(bytes)).equals(bytes)).toBe(true)
    }
  })

  test('every form of a literal and of a copy is understood', () => {
    const block = Buffer.concat([
      Buffer.from([22]),
      // The length of this literal stands in four bytes, as short as it is.
      Buffer.from([63 << 2, 3, 0, 0, 0, ...Buffer.from('abcd')]),
      Buffer.from([60 << 2, 1, ...Buffer.from('ef')]),
      // Copies with offsets of one, two and four bytes; the last one repeats what it writes.
      Buffer.from([((4 - 4) << 2) | 1, 6]),
      Buffer.from([((2 - 1) << 2) | 2, 10, 0]),
      Buffer.from([((10 - 1) << 2) | 3, 2, 0, 0, 0]),
    ])
    expect(`${read.snappy(block)}`).toBe('abcdefabcdababababababab'.slice(0, 22))
  })

  test.each([
    ['a length that would be negative in 32 bits', [10, 0xfc, 0xfa, 0xff, 0xff, 0xff, 1, 2, 3]],
    ['less than it says', [10, 0, 65]],
    ['more than it says', [1, 4, 65, 66]],
    ['a copy longer than it says', [2, 0, 65, (9 << 2) | 2, 1, 0]],
    ['a copy from before the start', [8, 0, 65, (3 << 2) | 2, 9, 0]],
    ['a copy from nowhere', [8, 0, 65, (3 << 2) | 2, 0, 0]],
    ['a cut offset', [8, 0, 65, (3 << 2) | 2, 1]],
    ['no length', [255, 255, 255, 255, 255, 255]],
    ['nothing', []],
  ])('a block with %s is refused', (_, bytes) => {
    expect(() => read.snappy(Buffer.from(bytes))).toThrow(expect.objectContaining(unreadable(/damaged/)))
  })

  test('a frame that ends early is refused', () => {
    const whole = xerial(content)
    for (const length of [18, 40, whole.length - 1]) {
      expect(() => read.snappy(whole.subarray(0, length))).toThrow(expect.objectContaining(unreadable(/damaged/)))
    }
  })
})

const lz4Block = (bytes: Buffer | number[], { stored = false, checksum = false } = {}): Buffer =>
  Buffer.concat([
    uint32LE(bytes.length + (stored ? 0x8000_0000 : 0)),
    Buffer.from(bytes),
    ...(checksum ? [uint32LE(0xfefefefe)] : []),
  ])
const lz4Frame = (flags: number, blocks: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40 | flags, 0x40]),
    ...(flags & 0x08 ? [Buffer.alloc(8)] : []),
    Buffer.from([0]),
    ...blocks,
    uint32LE(0),
    ...(flags & 0x04 ? [uint32LE(0xfefefefe)] : []),
  ])

describe('lz4', () => {
  const literal = [0x80, ...Buffer.from('abcdefgh')]
  // Eight bytes from eight back, then a literal of one byte.
  const repeat = [0x04, 8, 0, 0x10, ...Buffer.from('!')]

  test('a block may repeat what stands in an earlier one', () => {
    const frame = lz4Frame(0, [lz4Block(literal), lz4Block(repeat)])
    expect(`${read.lz4(frame)}`).toBe('abcdefghabcdefgh!')
  })

  test.each([
    ['independent blocks', 0x20],
    ['a checksum of its content', 0x24],
    ['a checksum of each block', 0x30],
    ['the size of its content', 0x28],
    ['all of that', 0x3c],
  ])('a frame with %s is understood', (_, flags) => {
    const checksum = (flags & 0x10) !== 0
    const blocks = [
      // One sequence: literals and the match after them share a token.
      lz4Block([0x84, ...Buffer.from('abcdefgh'), 8, 0, 0x10, ...Buffer.from('!')], { checksum }),
      lz4Block(Buffer.from('as it is'), { stored: true, checksum }),
    ]
    expect(`${read.lz4(lz4Frame(flags, blocks))}`).toBe('abcdefghabcdefgh!as it is')
  })

  test('long literals and matches that overlap themselves', () => {
    const text = Buffer.alloc(300, 'xyz')
    const block = [0xff, 255, 300 - 15 - 255, ...text, 3, 0, 255, 255, 1, 0x10, ...Buffer.from('.')]
    const expected = `${'xyz'.repeat(100)}${'xyz'.repeat(400).slice(0, 4 + 15 + 511)}.`
    expect(`${read.lz4(lz4Frame(0x20, [lz4Block(block)]))}`).toBe(expected)
  })

  test.each([
    ['no frame', Buffer.from('not an lz4 frame')],
    ['another version', lz4Frame(0x80, [lz4Block(literal)])],
    ['a dictionary', lz4Frame(0x01, [lz4Block(literal)])],
    ['no end', lz4Frame(0, [lz4Block(literal)]).subarray(0, -4)],
    ['half a block', lz4Frame(0, [lz4Block(literal)]).subarray(0, 15)],
    ['a literal that is cut', lz4Frame(0, [lz4Block(literal.slice(0, 5))])],
    ['a match that is cut', lz4Frame(0, [lz4Block([0x10, 65, 1])])],
    ['a match before the start', lz4Frame(0, [lz4Block([0x10, 65, 2, 0, 0x10, 65])])],
    ['a match from nowhere', lz4Frame(0, [lz4Block([0x10, 65, 0, 0, 0x10, 65])])],
    ['a block above the size of its frame', lz4Frame(0, [lz4Block([0x1f, 65, 1, 0, ...Array(260).fill(255), 0])])],
  ])('%s is refused', (_, bytes) => {
    expect(() => read.lz4(bytes)).toThrow(expect.objectContaining(unreadable(/damaged|dictionary/)))
  })
})

describe('zstd', () => {
  test('comes back as it was', () => {
    const packed = compressRecords(numbers.zstd, content)
    expect(packed.length).toBeLessThan(content.length / 3)
    expect(read.zstd(packed).equals(content)).toBe(true)
  })

  test('what is damaged is refused', () => {
    expect(() => read.zstd(Buffer.from('not zstd'))).toThrow(expect.objectContaining(unreadable(/damaged/)))
  })
})

test('a batch may be as large as the bound and not larger, with every codec', () => {
  const exact = readersUpTo(content.length)
  const tooLow = readersUpTo(content.length - 1)
  const stored = Array.from({ length: Math.ceil(content.length / 65_536) }, (_, i) =>
    lz4Block(content.subarray(i * 65_536, (i + 1) * 65_536), { stored: true }),
  )
  const packed = [
    ['snappy', rawSnappy(content)],
    ['snappy', xerial(content)],
    ['lz4', lz4Frame(0x20, stored)],
    ['zstd', compressRecords(numbers.zstd, content)],
  ] as const
  for (const [name, bytes] of packed) {
    expect(exact[name](bytes).equals(content)).toBe(true)
    expect(() => tooLow[name](bytes)).toThrow(
      expect.objectContaining(
        unreadable(new RegExp(`^an? ${name} batch holds more than the ${content.length - 1} bytes`)),
      ),
    )
  }
})

test('a match of lz4 and a length of snappy do not pass the bound either', () => {
  const small = readersUpTo(1000)
  const bomb = lz4Frame(0x20, [lz4Block([0x1f, 65, 1, 0, 255, 255, 255, 255, 0, 0x10, 65])])
  expect(() => small.lz4(bomb)).toThrow(expect.objectContaining(unreadable(/more than the 1000 bytes/)))
  const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 65])
  expect(() => small.snappy(claim)).toThrow(expect.objectContaining(unreadable(/more than the 1000 bytes/)))
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('what is written with %s comes back as it was', (name) => {
  for (const bytes of [content, Buffer.from('x'), Buffer.alloc(0), Buffer.alloc(200_000, 7)]) {
    expect(read[name](compressRecords(numbers[name], bytes)).equals(bytes)).toBe(true)
  }
})
