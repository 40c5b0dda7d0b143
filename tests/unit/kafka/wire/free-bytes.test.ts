import { expect, test } from 'vitest'
import { freeBytes } from '../../../../src/kafka/wire/free-bytes.ts'

test('memory that a buffer has for itself is gone at once', () => {
  const bytes = Buffer.allocUnsafeSlow(100_000)
  freeBytes(bytes)
  expect(bytes.length).toBe(0)
})

test('memory that others share stays', () => {
  const whole = Buffer.from('a part of it, and the rest')
  freeBytes(whole.subarray(0, 9))
  expect(whole.toString()).toBe('a part of it, and the rest')
  const shared = Buffer.from(new SharedArrayBuffer(8))
  freeBytes(shared)
  expect(shared.length).toBe(8)
})
