import { describe, expect, it } from 'vitest'
import { classNamesOf, DatasetInvalid } from '../../../../src/features/dataset.ts'
import { flatForestOf } from '../../../../src/models/forest/forest-sections.ts'
import { loadScorer, openBinary } from '../../../../src/models/load-scorer.ts'
import { checkManifest, decodeManifest, encodeManifest } from '../../../../src/models/manifest-codec.ts'
import { artefactFromForest } from '../../../../src/models/onnx/artefact-from-forest.ts'
import { importOnnx } from '../../../../src/models/onnx/import-onnx.ts'
import { OnnxRefused } from '../../../../src/models/onnx/onnx-refused.ts'
import { referenceOf } from '../../../../src/models/reference.ts'
import { verifyGolden } from '../../../../src/models/verify-golden.ts'
import { greatestError, lastScores, onnxFixture, runOnnx } from '../../../support/onnx.ts'
import { iris } from '../../../support/training-rows.ts'

const dataset = iris()
const task = { features: dataset.featureNames.map((name) => ({ name, isCategory: false })) }
const bytes = onnxFixture('forest-iris')
const imported = importOnnx(bytes, { task, classNames: classNamesOf(dataset) })
const options = {
  ...{ task: 'sample', name: 'from elsewhere', forest: imported.forest, parameters: { trees: 10 }, dataset },
  ...{ referenceRows: 40, parent: '3' },
}

describe('a forest from elsewhere', () => {
  const artefact = artefactFromForest(options)

  it('is a model that loads, passes its golden rows, and scores as ONNX Runtime does', async () => {
    const manifest = decodeManifest(encodeManifest(checkManifest(artefact.manifest)))
    const scorer = loadScorer(manifest, artefact.binary)
    verifyGolden(scorer, manifest.golden)
    const out = new Float64Array(dataset.rows * 3)
    scorer.scoreBlock(dataset.features, dataset.rows, out)
    expect(greatestError([...out], lastScores(await runOnnx(bytes, dataset.features, 4)))).toBeLessThan(1e-6)
  })

  it('says what it is, how well it does, and that it was not cross-validated here', () => {
    const { family, engine, parameters, data, metrics, parent, reason } = artefact.manifest
    expect({ family, engine, parameters, parent, reason }).toEqual({
      ...{ family: 'forest', engine: 'onnx', parameters: { trees: 10 }, parent: '3', reason: 'imported' },
    })
    expect(data).toMatchObject({ base_rows: 150, train_rows: 0, test_rows: 150 })
    expect(metrics.test).toMatchObject({ kind: 'classification', rows: 150 })
    expect(metrics.cv.folds).toBe(0)
    expect(metrics.cv.mean).toBeGreaterThan(0.95)
  })

  it('has a reference sample of the task, and covers that count its rows', () => {
    expect(referenceOf(artefact).rows).toBe(40)
    const sections = openBinary(artefact.manifest, artefact.binary)
    const { cover, roots, feature, left, right } = flatForestOf(sections, { columns: 4, outputs: 3 })
    for (const root of roots) expect(cover[root]).toBe(150)
    feature.forEach((column, node) => {
      if (column >= 0) expect(cover[left[node]!]! + cover[right[node]!]!).toBe(cover[node])
    })
  })

  it('is the same artefact each time', () => {
    const again = artefactFromForest(options)
    expect(again.manifest).toEqual(artefact.manifest)
    expect(again.binary).toEqual(artefact.binary)
  })
})

it('refuses rows of other classes, and no rows', () => {
  const classNames = ['setosa', 'versicolor', 'virginica', 'other']
  expect(() => artefactFromForest({ ...options, dataset: { ...dataset, classNames } })).toThrow(OnnxRefused)
  const none = { ...dataset, rows: 0, features: new Float64Array(0), labels: new Int32Array(0) }
  expect(() => artefactFromForest({ ...options, dataset: none })).toThrow(DatasetInvalid)
})
