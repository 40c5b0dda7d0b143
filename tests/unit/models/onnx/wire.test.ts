import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeModel } from '../../../../src/models/onnx/decode-model.ts'
import { encodeModel } from '../../../../src/models/onnx/encode-model.ts'
import { OnnxRefused } from '../../../../src/models/onnx/onnx-refused.ts'
import { readWire } from '../../../../src/models/onnx/wire-reader.ts'
import { writeWire } from '../../../../src/models/onnx/wire-writer.ts'
import { onnxFixture } from '../../../support/onnx.ts'

it('reads what it wrote', () => {
  const safe = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(safe, fc.array(safe), fc.string({ unit: 'binary' }), (number, list, text) => {
      const bytes = writeWire((writer) => {
        writer.integer(1, number)
        writer.integers(2, list)
        writer.message(300, (inner) => inner.text(7, text))
      })
      const reader = readWire(bytes, 'a test')
      expect(reader.next()).toBe(1)
      expect(reader.integer()).toBe(number)
      expect(reader.next()).toBe(2)
      const read: number[] = []
      reader.integersInto(read)
      expect(read).toEqual(list)
      expect(reader.next()).toBe(300)
      const inner = reader.message()
      expect(inner.next()).toBe(7)
      expect(inner.text()).toBe(text)
      expect(inner.next()).toBe(0)
      expect(reader.next()).toBe(0)
    }),
    { seed: 1, numRuns: 100 },
  )
})

it('reads lists that are not packed, and passes fields over that nobody asked for', () => {
  const bytes = writeWire((writer) => {
    for (const value of [5, -1, 2 ** 40]) writer.integer(8, value)
    writer.float(9, 1.5)
    writer.bytes(10, Uint8Array.of(1, 2, 3))
  })
  const reader = readWire(bytes, 'a test')
  const list: number[] = []
  while (reader.next() === 8) reader.integersInto(list)
  expect(list).toEqual([5, -1, 2 ** 40])
  expect(reader.float()).toBe(1.5)
  expect(reader.next()).toBe(10)
  expect(reader.next()).toBe(0)
})

it.each(['forest-iris', 'boosting-diabetes', 'ensemble-5', 'extra-trees-digits'])(
  'models come back equal: %s',
  (name) => {
    const model = decodeModel(onnxFixture(name))
    const bytes = encodeModel(model)
    expect(decodeModel(bytes)).toEqual(model)
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes)
  },
)

describe('bytes are refused', () => {
  it.each([
    ['that end within a number', [0x08, 0x80]],
    ['with a number of eleven bytes', [0x08, ...new Array<number>(11).fill(0x80), 0]],
    ['with a number beyond 2^53', [0x08, ...new Array<number>(8).fill(0xff), 0x7f]],
    ['with a field longer than the rest', [0x3a, 0x05, 0x00]],
    ['with a length of 2^62', [0x3a, ...new Array<number>(8).fill(0x80), 0x40]],
    ['with a negative length', [0x3a, ...new Array<number>(9).fill(0xff), 0x01]],
    ['with a group', [0x0b, 0x0c]],
    ['with field 0', [0x00, 0x00]],
    ['with a text that is not UTF-8', [0x12, 0x01, 0xff]],
    ['with a number where a text should be', [0x10, 0x01]],
    ['without a graph', []],
    ['with two graphs', [0x3a, 0x00, 0x3a, 0x00]],
  ])('%s', (_, bytes) => {
    expect(() => decodeModel(Uint8Array.from(bytes))).toThrow(OnnxRefused)
  })
})
