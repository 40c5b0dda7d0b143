import { expect, test } from 'vitest'
import { hexDump, readableBytes } from '../../../../src/cli/dead-letters/hex-dump.ts'

test('bytes as offset, hexadecimal and text, and how many are not shown', () => {
  const bytes = Buffer.concat([Buffer.from('{"event_id":"e1"}'), Buffer.from([0, 27, 255])])
  expect(hexDump(bytes, 18)).toEqual([
    '000000  7b 22 65 76 65 6e 74 5f 69 64 22 3a 22 65 31 22  {"event_id":"e1"',
    '000010  7d 00                                            }.',
    '... and 2 bytes more (--bytes)',
  ])
  expect(hexDump(Buffer.alloc(0), 10)).toEqual([])
})

test('text stays text; what would move a cursor or is no UTF-8 is told in hexadecimal', () => {
  expect(readableBytes(Buffer.from('größe'), 40)).toBe('größe')
  expect(readableBytes(Buffer.from('\u001b[2J'), 40)).toBe('0x1b5b324a')
  expect(readableBytes(Buffer.from([0xff, 1]), 40)).toBe('0xff01')
  expect(readableBytes(Buffer.from('x'.repeat(50)), 5)).toBe('xxxxx...')
})
