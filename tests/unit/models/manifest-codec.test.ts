import { describe, expect, it } from 'vitest'
import type { ModelManifest } from '../../../src/models/manifest.ts'
import { checkManifest, decodeManifest, encodeManifest } from '../../../src/models/manifest-codec.ts'
import { ArtefactCorrupt } from '../../../src/models/model-errors.ts'
import { smallModel } from '../../support/small-tournament.ts'
import { candidates } from '../../support/training-rows.ts'

const { manifest } = await smallModel(candidates.logistic)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const reversed = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, reversed(child)]),
  )
}

describe('encoding', () => {
  it('is undone by decoding, number for number', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest)
  })

  it('gives the same bytes however the manifest was put together', () => {
    expect(text(encodeManifest(reversed(manifest) as ModelManifest))).toBe(text(encodeManifest(manifest)))
  })

  it('refuses what JSON would turn into null', () => {
    expect(() => encodeManifest({ ...manifest, parameters: { rate: Number.NaN } })).toThrow(ArtefactCorrupt)
  })
})

describe('a manifest is refused', () => {
  const { mean, scale } = manifest.standardiser!
  const scores = { log_loss: 0.1, brier_score: 0.1, calibration_error: 0.1 }
  it.each<[string, object]>([
    ['of another format', { format: 3 }],
    ['of an unknown family', { family: 'oracle' }],
    ['without features', { features: [] }],
    ['with one class', { classes: ['only'] }],
    ['with a feature twice', { features: ['a', 'b', 'c', 'a'] }],
    ['with a scale of 0', { standardiser: { mean, scale: [0, ...scale.slice(1)] } }],
    ['with an infinite mean', { standardiser: { mean: [Number.POSITIVE_INFINITY, ...mean.slice(1)], scale } }],
    ['with too few scales', { standardiser: { mean, scale: scale.slice(1) } }],
    ['without golden rows', { golden: { features: [], outputs: [], tolerance: 1e-9 } }],
    [
      'with golden rows too short',
      { golden: { ...manifest.golden, features: manifest.golden.features.map(() => [1]) } },
    ],
    ['with fewer golden outputs than rows', { golden: { ...manifest.golden, outputs: [] } }],
    ['with a tolerance that takes anything', { golden: { ...manifest.golden, tolerance: 10 } }],
    ['with a calibration of no method', { calibration: { method: 'guess', before: scores, after: scores } }],
    ['with a calibration that was not measured', { calibration: { method: 'platt', before: scores } }],
    ['of a regression with classes', { kind: 'regression' }],
    [
      'of a regression with a calibration',
      {
        ...{ kind: 'regression', classes: [], calibration: { method: 'platt', before: scores, after: scores } },
        golden: { ...manifest.golden, outputs: manifest.golden.outputs.map(() => [1]) },
      },
    ],
    ['without a digest', { binary: { ...manifest.binary, sha256: '' } }],
  ])('%s', (_name, changes) => {
    expect(() => checkManifest({ ...manifest, ...changes })).toThrow(ArtefactCorrupt)
  })

  it.each([['null'], ['[]'], ['{}'], ['{"format":1'], ['\xff']])('as the text %s', (json) => {
    expect(() => decodeManifest(Buffer.from(json, 'latin1'))).toThrow(ArtefactCorrupt)
  })
})

it('says of a manifest of the format before this one that the model has to be trained again', () => {
  expect(() => checkManifest({ ...manifest, format: 1 })).toThrow(/format 1.*train the model again/)
})
