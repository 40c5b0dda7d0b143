import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { openForest } from '../../src/models/forest/forest-scorer.ts'
import { packForest } from '../../src/models/forest/forest-sections.ts'
import { decodeModel } from '../../src/models/onnx/decode-model.ts'
import { encodeModel } from '../../src/models/onnx/encode-model.ts'
import type { ImportedForest } from '../../src/models/onnx/import-onnx.ts'
import { ELEMENT, type OnnxModel } from '../../src/models/onnx/onnx-model.ts'
import { createSections } from '../../src/models/sections.ts'

export const onnxFixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../fixtures/onnx/${name}.onnx`, import.meta.url))

/** The numbers of one of the examples, row-major, and its last column apart. */
export const exampleRows = (path: string): { features: Float64Array; labels: Float64Array; columns: number } => {
  const [header = '', ...lines] = readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const features = Float64Array.from(lines.flatMap((line) => line.split(',').slice(0, -1).map(Number)))
  const labels = Float64Array.from(lines, (line) => Number(line.split(',').at(-1)))
  return { features, labels, columns: header.split(',').length - 1 }
}

/** Without ZipMap, whose maps the runtime does not hand to Node: the graph gives its scores as numbers. */
const unzipped = (model: OnnxModel): OnnxModel => {
  const { nodes, outputs } = model.graph
  const zip = nodes.find(({ opType }) => opType === 'ZipMap')
  if (zip === undefined) return model
  const scores = { name: zip.inputs[0]!, elementType: ELEMENT.float, dims: ['rows', 'classes'] }
  const kept = outputs.filter(({ name }) => name !== zip.outputs[0])
  return {
    ...model,
    graph: { ...model.graph, nodes: nodes.filter((node) => node !== zip), outputs: [...kept, scores] },
  }
}

export type OnnxScores = Record<string, ArrayLike<number | bigint | string>>

/** What ONNX Runtime computes for rows of numbers, on one thread: every output by its name. */
export const runOnnx = async (bytes: Uint8Array, rows: Float64Array, columns: number): Promise<OnnxScores> => {
  const model = unzipped(decodeModel(bytes))
  const session = await InferenceSession.create(encodeModel(model), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  const count = rows.length / columns
  const feeds = Object.fromEntries(
    model.graph.inputs.map(({ name, elementType }, i) => {
      const isJoined = model.graph.inputs.length === 1
      const values = isJoined ? rows : Float64Array.from({ length: count }, (_, row) => rows[row * columns + i]!)
      const dims = [count, isJoined ? columns : 1]
      return elementType === ELEMENT.double
        ? [name, new Tensor('float64', values, dims)]
        : [name, new Tensor('float32', Float32Array.from(values), dims)]
    }),
  )
  const results = await session.run(feeds)
  const scores = Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, data as ArrayLike<number>]),
  )
  await session.release()
  return scores
}

/** The last output: probabilities or values. */
export const lastScores = (scores: OnnxScores): number[] => Array.from(Object.values(scores).at(-1)!, Number)

/** What our own scorer makes of an imported forest. */
export const scoreImported = ({ kind, forest, featureCount }: ImportedForest, rows: Float64Array): number[] => {
  const count = rows.length / featureCount
  const out = new Float64Array(count * forest.outputs)
  const sections = createSections(packForest(forest))
  openForest(sections, { kind, columns: featureCount, outputs: forest.outputs })(rows, 0, count, out, 0)
  return [...out]
}

/** Greatest difference, relative to the greater of 1 and the expected value. */
export const greatestError = (actual: readonly number[], expected: readonly number[]): number => {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  return actual.reduce((greatest, value, i) => {
    const error = Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!))
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(greatest, error)
  }, 0)
}
