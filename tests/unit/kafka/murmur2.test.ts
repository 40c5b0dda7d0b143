import { describe, expect, test } from 'vitest'
import { murmur2, partitionOfKey } from '../../../src/kafka/murmur2.ts'

describe('murmur2', () => {
  // From the tests of Kafka's own Java client.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what Java computes', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  test('reads bytes above 127 as they are', () => {
    // 0xff and -1 are the same byte, whatever view it is read through.
    expect(murmur2(new Uint8Array([0xff, 0xfe, 0x80, 0x7f, 0xff]))).toBe(
      murmur2(new Uint8Array(new Int8Array([-1, -2, -128, 127, -1]).buffer)),
    )
  })

  test('never gives a partition that is not there', () => {
    for (let i = 0; i < 1000; i++) {
      const partition = partitionOfKey(Buffer.from(`key-${i}`), 7)
      expect(partition).toBeGreaterThanOrEqual(0)
      expect(partition).toBeLessThan(7)
    }
  })
})
