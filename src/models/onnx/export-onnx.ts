import { encodedColumns } from '../../features/encoder.ts'
import { flatForestOf } from '../forest/forest-sections.ts'
import { loadScorer, openBinary } from '../load-scorer.ts'
import type { ModelManifest } from '../manifest.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import { outputsOf } from '../scorer.ts'
import type { Sections } from '../sections.ts'
import { encodeModel } from './encode-model.ts'
import { createGraphBuilder, type GraphBuilder } from './graph-builder.ts'
import { ELEMENT, ML_DOMAIN, type OnnxModel, type OnnxValue } from './onnx-model.ts'
import { writeCalibration } from './write-calibration.ts'
import { writeForest } from './write-forest.ts'
import { writeLogistic, writeRidge } from './write-linear.ts'
import { writeStandardiser } from './write-standardiser.ts'
import { writeSvm } from './write-svm.ts'

// Opsets of 2021, which every runtime since ONNX Runtime 1.10 knows; ai.onnx.ml 3 is the first with float64 thresholds.
const IR_VERSION = 8
const OPSET = 15
const ML_OPSET = 3

const INPUT = 'features'

/** Adds the family's scores. @returns float64, `rows * outputs` */
const writeScores = (graph: GraphBuilder, manifest: ModelManifest, sections: Sections): string => {
  const { family, kind, features, categories, classes, standardiser } = manifest
  const outputs = outputsOf(kind, classes)
  const counts = categories.map(({ length }) => length)
  if (family === 'forest') {
    const forest = flatForestOf(sections, { columns: features.length, outputs })
    return writeForest(graph, INPUT, counts, forest, kind)
  }
  if (standardiser === null) throw new ArtefactCorrupt(`a model of family ${family} needs a standardiser, and has none`)
  const columns = encodedColumns(counts)
  const rows = writeStandardiser(graph, INPUT, counts, standardiser)
  if (family === 'ridge') return writeRidge(graph, rows, sections, columns)
  if (family === 'logistic') return writeLogistic(graph, rows, sections, columns, outputs)
  return writeSvm(graph, rows, sections, { kind, columns, outputs })
}

/** Adds the outputs. @returns what they are */
const writeOutputs = (graph: GraphBuilder, manifest: ModelManifest, sections: Sections): OnnxValue[] => {
  const { kind, classes, calibration } = manifest
  const scores = writeScores(graph, manifest, sections)
  if (kind === 'regression') {
    graph.nameOutput(scores, 'value')
    return [{ name: 'value', elementType: ELEMENT.double, dims: ['rows', 1] }]
  }
  const probabilities =
    calibration === null ? scores : writeCalibration(graph, scores, sections, calibration.method, classes.length)
  const best = graph.apply('ArgMax', [probabilities], { axis: 1, keepdims: 0 })
  graph.nameOutput(graph.apply('Gather', [graph.texts(classes), best], { axis: 0 }), 'label')
  graph.nameOutput(probabilities, 'probabilities')
  return [
    { name: 'label', elementType: ELEMENT.string, dims: ['rows'] },
    { name: 'probabilities', elementType: ELEMENT.double, dims: ['rows', classes.length] },
  ]
}

/**
 * Writes a stored model as an ONNX file that scores as ours does, to 1e-6 and usually far closer: standardiser, one-hot
 * encoding, trees or kernels and calibration are in the graph, in float64. Input `features`, float64,
 * `[rows, features]`: values in the model's order, NaN where missing, a category by its code in `categories` of the
 * metadata. Outputs: `label` (string, `[rows]`) and `probabilities` (float64, `[rows, classes]`), or `value` (float64,
 * `[rows, 1]`). The same model gives the same bytes.
 * @param version what the file is to say that it was made of, if anything
 * @throws ArtefactCorrupt, ExportRefused
 */
export const exportOnnx = (manifest: ModelManifest, binary: Uint8Array, version?: string): Uint8Array => {
  // The same checks as before the model scores: what could not be served is not handed on.
  loadScorer(manifest, binary)
  const graph = createGraphBuilder()
  const outputs = writeOutputs(graph, manifest, openBinary(manifest, binary))
  const metadata = new Map([
    ['task', manifest.task],
    ['model', manifest.name],
    ['kind', manifest.kind],
    ['family', manifest.family],
    ['engine', manifest.engine],
    ['features', JSON.stringify(manifest.features)],
    ['categories', JSON.stringify(manifest.categories)],
    ['classes', JSON.stringify(manifest.classes)],
    ['sha256', manifest.binary.sha256],
  ])
  if (version !== undefined) metadata.set('version', version)
  const model: OnnxModel = {
    irVersion: IR_VERSION,
    producer: 'driftline',
    opsets: new Map([
      ['', OPSET],
      [ML_DOMAIN, ML_OPSET],
    ]),
    metadata,
    graph: {
      name: manifest.task,
      ...graph.finish(),
      inputs: [{ name: INPUT, elementType: ELEMENT.double, dims: ['rows', manifest.features.length] }],
      outputs,
    },
  }
  return encodeModel(model)
}
