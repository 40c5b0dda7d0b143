import { createForestExplainer } from '../../src/models/explain/forest-explainer.ts'
import type { PeerProcess } from '../peers.ts'
import { type BenchLine, type ModelBench, median } from './model-bench.ts'
import { forestOf, type SklearnForest } from './sklearn-forest.ts'

type Fitted = { columns: number; rows: number[]; forest: SklearnForest }

const ROUNDS = 5
const TREES = 100
const DEPTH = 10

const sets = [
  { data: 'iris', rows: 600 },
  { data: 'breast cancer', rows: 150 },
  { data: 'digits', rows: 30 },
  { data: 'diabetes', rows: 60 },
] as const

/** One row: the same trees and rows on both sides, so that their answers can be compared, too. */
const measure = async (peer: PeerProcess, { data, rows }: (typeof sets)[number]): Promise<BenchLine> => {
  const fitted = await peer.ask<Fitted>({ fit: { data, rows, trees: TREES, depth: DEPTH } })
  const { columns } = fitted
  const forest = forestOf(fitted.forest)
  const features = Float64Array.from(fitted.rows)
  const explainer = createForestExplainer(forest, columns)
  const size = columns * forest.outputs
  const out = new Float64Array(rows * size)
  const explainAll = (): number => {
    const start = performance.now()
    for (let row = 0; row < rows; row++) explainer.explain(features, out, row * columns, row * size)
    return (performance.now() - start) / 1000
  }

  const expected = await peer.ask<number[]>({ values: rows })
  explainAll()
  const furthest = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - out[i]!)), 0)
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(explainAll())
    theirs.push(await peer.ask<number>({ explain: rows }))
  }
  const perRow = (seconds: number): string => `${((1e6 * seconds) / rows).toFixed(0)} us/row`
  const ratio = median(ours) / median(theirs)
  return {
    measure: `explain, ${TREES} trees of depth ${DEPTH}, ${data} (${forest.feature.length} nodes, ${columns} columns, ${forest.outputs} outputs)`,
    ours: perRow(median(ours)),
    peer: `${perRow(median(theirs))} shap`,
    figure: `${ratio.toFixed(2)}x, furthest apart ${furthest.toExponential(0)}`,
    target: 'within 1e-9',
    met: furthest < 1e-9,
  }
}

/** SHAP values of forests of scikit-learn, row by row in one thread, against the shap package on all rows at once. */
export const run: ModelBench = async ({ peer, say }) => {
  const process = peer.start('models/explain.py')
  const lines: BenchLine[] = []
  try {
    for (const set of sets) {
      say(`explaining ${set.data}`)
      lines.push(await measure(process, set))
    }
  } finally {
    process.stop()
  }
  return lines
}
