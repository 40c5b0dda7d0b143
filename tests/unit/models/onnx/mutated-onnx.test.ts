import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../../src/errors.ts'
import { decodeModel } from '../../../../src/models/onnx/decode-model.ts'
import { encodeModel } from '../../../../src/models/onnx/encode-model.ts'
import { importOnnx } from '../../../../src/models/onnx/import-onnx.ts'
import type { OnnxAttribute, OnnxModel } from '../../../../src/models/onnx/onnx-model.ts'
import { OnnxRefused } from '../../../../src/models/onnx/onnx-refused.ts'
import { onnxFixture, scoreImported } from '../../../support/onnx.ts'
import { sampleEnsemble } from '../../../support/sample-ensemble.ts'

const LIMITS = { maxBytes: 2 ** 20, maxNodes: 20_000 }
const hostile = [0, 1, -1, 5.5, 1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** Refused with a typed error, or scores finite numbers, which for classes sum to 1. Anything else fails the test. */
const checkMutant = (bytes: Uint8Array): 'refused' | 'scores' => {
  let imported: ReturnType<typeof importOnnx>
  try {
    imported = importOnnx(bytes, { limits: LIMITS })
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxRefused)
    return 'refused'
  }
  const rows = Float64Array.from({ length: 9 * imported.featureCount }, (_, at) => hostile[(at * 7) % hostile.length]!)
  let scores: number[]
  try {
    scores = scoreImported(imported, rows)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return 'refused'
  }
  const { outputs } = imported.forest
  expect(scores.every(Number.isFinite)).toBe(true)
  if (imported.kind === 'classification') {
    for (let row = 0; row < 9; row++) {
      const sum = scores.slice(row * outputs, (row + 1) * outputs).reduce((total, p) => total + p, 0)
      expect(Math.abs(sum - 1)).toBeLessThan(1e-9)
    }
  }
  return 'scores'
}

const small = {
  trees: 3,
  maxDepth: 3,
  columns: 3,
  modes: ['BRANCH_LEQ', 'BRANCH_EQ', 'BRANCH_GT'],
  tracksMissing: true,
}
const models: OnnxModel[] = [
  sampleEnsemble({ ...small, seed: 1, isDouble: false, thresholds: [0, 1], target: { kind: 'shares', classes: 3 } }),
  sampleEnsemble({ ...small, seed: 2, isDouble: true, thresholds: [0, 1], target: { kind: 'softmax', classes: 3 } }),
  sampleEnsemble({
    ...small,
    seed: 3,
    isDouble: false,
    thresholds: [0, 1],
    target: { kind: 'logistic column', classes: 2 },
  }),
  sampleEnsemble({
    ...small,
    seed: 4,
    isDouble: true,
    thresholds: [0, 1],
    target: { kind: 'regression', aggregate: 'SUM' },
  }),
  decodeModel(onnxFixture('ensemble-5')),
]
const files = models.map(encodeModel)
const anyFile = fc.constantFrom(...files)

/** Whether some mutants were refused and some not: a test in which all go one way tests little. */
const countBoth = (check: (count: (outcome: 'refused' | 'scores') => void) => void): void => {
  const outcomes = { refused: 0, scores: 0 }
  check((outcome) => {
    outcomes[outcome]++
  })
  expect(Math.min(outcomes.refused, outcomes.scores)).toBeGreaterThan(20)
}

// Thousands of files: seconds, and more on a busy machine.
describe('a mutated file is refused with a typed error, or scores', { timeout: 120_000 }, () => {
  it('when bytes are changed', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })
    countBoth((count) =>
      fc.assert(
        fc.property(anyFile, flips, (file, changes) => {
          const bytes = file.slice()
          for (const [place, mask] of changes) bytes[place % bytes.length]! ^= mask
          count(checkMutant(bytes))
        }),
        { seed: 1, numRuns: 5000 },
      ),
    )
  })

  it('when it is cut, or pieces of it are doubled or left out', () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), fc.nat(), fc.constantFrom('cut', 'double', 'omit'), (file, a, b, how) => {
        const [from, to] = [a % file.length, b % file.length].sort((x, y) => x - y) as [number, number]
        const piece = file.subarray(from, to)
        const rest = file.subarray(to)
        if (how === 'cut') checkMutant(file.slice(0, from))
        else if (how === 'double') checkMutant(Uint8Array.from([...file.subarray(0, to), ...piece, ...rest]))
        else checkMutant(Uint8Array.from([...file.subarray(0, from), ...rest]))
      }),
      { seed: 2, numRuns: 2000 },
    )
  })

  it('when it is any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        checkMutant(bytes)
      }),
      { seed: 3, numRuns: 1000 },
    )
  })

  it('when elements of its lists are changed, left out or doubled', () => {
    const numbers = fc.oneof(
      fc.integer({ min: -3, max: 40 }),
      fc.constantFrom(2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, 1e30, -1e30, Number.NaN, Number.POSITIVE_INFINITY),
    )
    const texts = fc.constantFrom('LEAF', 'BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_NEQ', '', 'c0', '__proto__')
    const mutate = (
      attribute: OnnxAttribute,
      place: number,
      how: string,
      number: number,
      text: string,
    ): OnnxAttribute => {
      if (attribute.kind === 'tensor') {
        const values = Float64Array.from(attribute.value.values as Float64Array)
        values[place % values.length] = number
        return { kind: 'tensor', value: { ...attribute.value, values } }
      }
      if (attribute.kind === 'text') return { kind: 'text', value: text }
      if (attribute.kind === 'integer') return { kind: 'integer', value: Number.isSafeInteger(number) ? number : 0 }
      if (attribute.kind === 'float' || attribute.kind === 'other') return attribute
      const list = [...attribute.value] as (number | string)[]
      const value =
        attribute.kind === 'texts' ? text : attribute.kind === 'integers' && !Number.isSafeInteger(number) ? 0 : number
      if (how === 'change') list[place % list.length] = value
      else if (how === 'omit') list.splice(place % list.length, 1)
      else list.splice(place % list.length, 0, list[place % list.length]!)
      return { kind: attribute.kind, value: list } as OnnxAttribute
    }
    const change = fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('change', 'change', 'omit', 'double'), numbers, texts)
    countBoth((count) =>
      fc.assert(
        fc.property(fc.constantFrom(...models), fc.array(change, { minLength: 1, maxLength: 3 }), (model, changes) => {
          const [node] = model.graph.nodes
          const attributes = new Map(node!.attributes)
          for (const [which, place, how, number, text] of changes) {
            const [name, attribute] = [...attributes][which % attributes.size]!
            attributes.set(name, mutate(attribute, place, how, number, text))
          }
          count(checkMutant(encodeModel({ ...model, graph: { ...model.graph, nodes: [{ ...node!, attributes }] } })))
        }),
        { seed: 4, numRuns: 5000 },
      ),
    )
  })

  it('when its parts are swapped with those of another', () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), fc.constantFrom(...models), fc.nat(), (model, other, which) => {
        const [node] = model.graph.nodes
        const [source] = other.graph.nodes
        const [name, attribute] = [...source!.attributes][which % source!.attributes.size]!
        const attributes = new Map(node!.attributes).set(name, attribute)
        checkMutant(encodeModel({ ...model, graph: { ...model.graph, nodes: [{ ...node!, attributes }] } }))
      }),
      { seed: 5, numRuns: 500 },
    )
  })
})
