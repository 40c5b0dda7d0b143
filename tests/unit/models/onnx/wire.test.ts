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
      const read: unknown[] = [reader.next(), reader.integer(), reader.next()]
      const elements: number[] = []
      reader.integersInto(elements)
      read.push(elements, reader.next())
      const inner = reader.message()
      read.push(inner.next(), inner.text(), inner.next(), reader.next())
      expect(read).toEqual([1, number, 2, list, 300, 7, text, 0, 0])
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

it('reads lists whose elements are fields of their own, in one go and with others between them', () => {
  const bytes = writeWire((writer) => {
    for (const value of [5, 300, -1]) writer.integer(8, value)
    for (const value of [0.5, 2]) writer.float(7, value)
    writer.integer(8, 7)
    writer.integer(300, 1)
    writer.integer(300, 2)
  })
  const reader = readWire(bytes, 'a test')
  const integers: number[] = []
  const floats: number[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 7) reader.floatsInto(floats)
    else reader.integersInto(integers)
  }
  expect(integers).toEqual([5, 300, -1, 7, 1, 2])
  expect(floats).toEqual([0.5, 2])
})

it.each([
  ['a whole number', [0x40, 1, 0x40]],
  ['a float', [0x3d, 0, 0, 0, 0, 0x3d, 0, 0]],
])('refuses a list that ends within %s', (_, bytes) => {
  const reader = readWire(Uint8Array.from(bytes), 'a test')
  expect(() => {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 7) reader.floatsInto([])
      else reader.integersInto([])
    }
  }).toThrow(OnnxRefused)
})

it.each([
  ['inputs', [0x5a, 0x00]],
  ['constants', [0x2a, 0x02, 0x08, 0x00]],
])(
  'refuses a file of ever more empty %s before they fill the memory',
  (_, message) => {
    const parts = new Uint8Array((2 ** 18 + 1) * message.length).map((_byte, at) => message[at % message.length]!)
    const bytes = writeWire((writer) => writer.bytes(7, parts))
    expect(() => decodeModel(bytes)).toThrow(/over 262144 messages/)
  },
  60_000,
)

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
