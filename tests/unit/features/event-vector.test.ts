import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEventVector } from '../../../src/features/event-vector.ts'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'

const specs: FeatureSpec[] = [
  { name: 'size', type: 'double', nullable: false, range: [0, 30] },
  { name: 'weight', type: 'double', nullable: true },
]

const read = (event: Record<string, unknown>) => {
  const out = new Float64Array(4).fill(-1)
  return { fault: readEventVector(event, specs, out, 1), out: [...out] }
}

describe('an event that is fine', () => {
  it('stands at its offset, and nothing beside it is touched', () => {
    expect(read({ weight: 2, size: 5.1, other: 'x' })).toEqual({ fault: null, out: [-1, 5.1, 2, -1] })
  })

  it('may have its numbers at the ends of a range', () => {
    expect(read({ size: 0, weight: 1 }).fault).toBeNull()
    expect(read({ size: 30, weight: 1 }).fault).toBeNull()
  })

  it.each([[{ size: 1, weight: null }], [{ size: 1 }], [{ size: 1, weight: undefined }]])(
    'has NaN where a nullable value is missing: %j',
    (event) => {
      expect(read(event)).toEqual({ fault: null, out: [-1, 1, Number.NaN, -1] })
    },
  )
})

describe('a fault', () => {
  it.each([
    [{ weight: 1 }, 'FEATURE_MISSING'],
    [{ size: null }, 'FEATURE_MISSING'],
    [{ size: undefined }, 'FEATURE_MISSING'],
    [{ size: '5.1' }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: '' }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: true }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: 5n }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: [5.1] }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: { double: 5.1 } }, 'FEATURE_NOT_A_NUMBER'],
    [{ size: Number.NaN }, 'FEATURE_NOT_FINITE'],
    [{ size: Number.POSITIVE_INFINITY }, 'FEATURE_NOT_FINITE'],
    [{ size: -0.01 }, 'FEATURE_OUT_OF_RANGE'],
    [{ size: 30.01 }, 'FEATURE_OUT_OF_RANGE'],
  ])('of %o is %s and names the feature', (event, code) => {
    const { fault } = read(event)
    expect(fault).toMatchObject({ code, feature: 'size' })
    expect(fault?.message).toContain('size')
  })

  it('says what it found, but not all of a long text', () => {
    const { fault } = read({ size: 'x'.repeat(10_000) })
    expect(fault?.message).toContain('xxx')
    expect(fault?.message.length).toBeLessThan(200)
  })

  it('also stands for NaN in a nullable feature: NaN is no way to say "missing"', () => {
    expect(read({ size: 1, weight: Number.NaN }).fault).toMatchObject({ code: 'FEATURE_NOT_FINITE', feature: 'weight' })
  })

  it('is not avoided by what every object inherits', () => {
    const spec: FeatureSpec = { name: 'constructor', type: 'double', nullable: false }
    const out = new Float64Array(1)
    expect(readEventVector({}, [spec], out, 0)).toMatchObject({ code: 'FEATURE_MISSING' })
    expect(readEventVector({}, [{ ...spec, nullable: true }], out, 0)).toBeNull()
    expect(out[0]).toBeNaN()
  })
})

it('reads any value without throwing, and reads finite numbers only', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (size, weight) => {
      const { fault, out } = read({ size, weight })
      if (fault !== null) return
      expect(out[1]).toBe(size)
      expect(size).toSatisfy(Number.isFinite)
      expect(Number.isFinite(out[2]) || (Number.isNaN(out[2]) && (weight === null || weight === undefined))).toBe(true)
    }),
  )
})

describe('a category', () => {
  const many = Array.from({ length: 255 }, (_, n) => `c${n}`)
  const specsOf = (categories: readonly string[], nullable = false): FeatureSpec[] => [
    { name: 'kind', type: 'category', categories, nullable },
  ]
  const code = (value: unknown, categories: readonly string[] = ['a', 'b'], nullable = false) => {
    const out = new Float64Array(1).fill(-1)
    const fault = readEventVector({ kind: value }, specsOf(categories, nullable), out, 0)
    return fault === null ? out[0] : fault.code
  }

  it('becomes its place in the list, and any other name the length of the list', () => {
    expect(['a', 'b', 'c', '', 'A', '0'].map((value) => code(value))).toEqual([0, 1, 2, 2, 2, 2])
    expect(['c0', 'c254', 'c255', 'constructor'].map((value) => code(value, many))).toEqual([0, 254, 255, 255])
  })

  it('is missing where it is null or not there', () => {
    expect([null, undefined].map((value) => code(value))).toEqual(['FEATURE_MISSING', 'FEATURE_MISSING'])
    expect(code(null, ['a'], true)).toBeNaN()
  })

  it.each([[0], [true], [['a']], [{ string: 'a' }], [Number.NaN]])('is no %j', (value) => {
    expect(code(value)).toBe('FEATURE_NOT_TEXT')
    expect(code(value, ['a'], true)).toBe('FEATURE_NOT_TEXT')
  })

  it('leaves a number beside it a number', () => {
    const out = new Float64Array(3)
    const mixed: FeatureSpec[] = [specs[0]!, ...specsOf(['a', 'b']), specs[1]!]
    expect(readEventVector({ size: 5, kind: 'b', weight: null }, mixed, out, 0)).toBeNull()
    expect([...out]).toEqual([5, 1, Number.NaN])
  })
})
