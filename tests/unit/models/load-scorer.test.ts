import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadScorer } from '../../../src/models/load-scorer.ts'
import type { ModelArtefact } from '../../../src/models/manifest.ts'
import { ArtefactCorrupt, GoldenRowsDiffer } from '../../../src/models/model-errors.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import { compareGolden, verifyGolden } from '../../../src/models/verify-golden.ts'
import { smallModel, withBinary } from '../../support/small-tournament.ts'
import { candidates } from '../../support/training-rows.ts'

const models = await Promise.all(
  Object.entries(candidates).map(async ([name, candidate]) => [name, await smallModel(candidate)] as const),
)

const rows = Float64Array.from([5.1, 3.5, 1.4, 0.2, 6, 3, 5, Number.NaN, 1e300, -1e300, 0, 7, 6.7, 3, 5.2, 2.3])

const expectSoundScores = (scorer: Scorer): void => {
  const classes = scorer.classNames.length
  const count = Math.floor(rows.length / scorer.featureNames.length)
  const probabilities = new Float64Array(count * classes).fill(Number.NaN)
  scorer.scoreBlock(rows, count, probabilities)
  for (let at = 0; at < probabilities.length; at += classes) {
    const row = probabilities.subarray(at, at + classes)
    expect(row.every((p) => p >= 0 && p <= 1)).toBe(true)
    expect(Math.abs(row.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-9)
  }
}

/** Loads what may be damaged: it is refused as corrupt, or it scores soundly. */
const loadOrRefuse = ({ manifest, binary }: ModelArtefact): 'refused' | 'loaded' => {
  let scorer: Scorer
  try {
    scorer = loadScorer(manifest, binary)
  } catch (error) {
    expect(error).toBeInstanceOf(ArtefactCorrupt)
    return 'refused'
  }
  expectSoundScores(scorer)
  return 'loaded'
}

describe.each(models)('a stored model: %s', (_name, { manifest, binary }) => {
  it('loads, and scores its golden rows as it did', () => {
    const scorer = loadScorer(manifest, binary)
    expect(scorer.featureNames).toEqual(manifest.features)
    expect(scorer.classNames).toEqual(manifest.classes)
    expect(compareGolden(scorer, manifest.golden)).toBeNull()
    expect(() => verifyGolden(scorer, manifest.golden)).not.toThrow()
    expectSoundScores(scorer)
  })

  it('loads from bytes that start anywhere in their buffer', () => {
    const shifted = new Uint8Array(binary.byteLength + 3)
    shifted.set(binary, 3)
    const scorer = loadScorer(manifest, shifted.subarray(3))
    expect(compareGolden(scorer, manifest.golden)).toBeNull()
  })

  it('is refused when one bit or its length differs', () => {
    fc.assert(
      fc.property(fc.nat({ max: binary.byteLength * 8 - 1 }), (bit) => {
        const damaged = binary.slice()
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => loadScorer(manifest, damaged)).toThrow(ArtefactCorrupt)
      }),
      { numRuns: 20 },
    )
    expect(() => loadScorer(manifest, binary.subarray(0, -8))).toThrow(ArtefactCorrupt)
    expect(() => loadScorer(manifest, Uint8Array.from([...binary, 0]))).toThrow(ArtefactCorrupt)
  })

  it('is refused or scores soundly with any bytes under a digest that fits', () => {
    const outcomes = new Set<string>()
    const damages = fc.array(fc.tuple(fc.nat({ max: binary.byteLength - 8 }), fc.uint8Array({ maxLength: 8 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(damages, (patches) => {
        const damaged = binary.slice()
        for (const [at, bytes] of patches) damaged.set(bytes, at)
        outcomes.add(loadOrRefuse(withBinary(manifest, damaged)))
      }),
      { numRuns: 300 },
    )
    expect(outcomes.has('loaded')).toBe(true)
    // Memory of hundreds of kernels is given back when the engine collects garbage, which may take its time.
  }, 60_000)

  it('is refused or scores soundly with any number in place of one of its own', () => {
    const extremes = fc.oneof(
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e100, 1e100, 0, -1, 5e-324, -1e308),
      fc.double(),
    )
    fc.assert(
      fc.property(fc.nat({ max: binary.byteLength / 8 - 1 }), extremes, (at, value) => {
        const damaged = binary.slice()
        new DataView(damaged.buffer).setFloat64(at * 8, value, true)
        loadOrRefuse(withBinary(manifest, damaged))
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  it('is refused or scores soundly with any value in place of one in its manifest', () => {
    const places = manifestPlaces(manifest)
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.oneof(fc.jsonValue(), fc.double()), (place, value) => {
        const damaged = structuredClone(manifest)
        setAt(damaged, place, value)
        loadOrRefuse({ manifest: damaged, binary })
      }),
      { numRuns: 300 },
    )
  })
})

type Place = readonly (string | number)[]

const manifestPlaces = (value: unknown, path: Place = []): Place[] => {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, child]) => manifestPlaces(child, [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

const setAt = (root: object, place: Place, value: unknown): void => {
  const parent = place.slice(0, -1).reduce<unknown>((node, key) => Reflect.get(node as object, key), root)
  Reflect.set(parent as object, place.at(-1)!, value)
}

describe('golden rows', () => {
  const { manifest, binary } = models[0]![1]

  it('that come out different are named', () => {
    const scorer = loadScorer(manifest, binary)
    const golden = structuredClone(manifest.golden)
    golden.outputs[2]![1]! += 1e-6
    expect(compareGolden(scorer, golden)).toMatchObject({ row: 2, output: 1 })
    expect(() => verifyGolden(scorer, golden)).toThrow(GoldenRowsDiffer)
    expect(() => verifyGolden(scorer, golden)).toThrow(/class 'versicolor'/)
  })

  it('that come out as no number differ', () => {
    const scorer: Scorer = {
      ...loadScorer(manifest, binary),
      scoreBlock: (_features, _rows, probabilities) => void probabilities.fill(Number.NaN),
    }
    expect(compareGolden(scorer, manifest.golden)).not.toBeNull()
  })

  it('show a model whose parameters are sound but others', () => {
    const damaged = binary.slice()
    const view = new DataView(damaged.buffer)
    view.setFloat64(0, view.getFloat64(0, true) + 0.01, true)
    const other = withBinary(manifest, damaged)
    expect(compareGolden(loadScorer(other.manifest, other.binary), manifest.golden)).not.toBeNull()
  })
})
