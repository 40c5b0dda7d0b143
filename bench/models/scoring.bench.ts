import { createScorer } from '../../src/models/create-scorer.ts'
import { packForest } from '../../src/models/forest/forest-sections.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import { createSections } from '../../src/models/sections.ts'
import type { PeerProcess } from '../peers.ts'
import { enlargedIris } from './enlarged-iris.ts'
import { type BenchLine, type ModelBench, median } from './model-bench.ts'
import { forestOf, type SklearnForest } from './sklearn-forest.ts'

type Fitted = { columns: number; asked: number[]; forest: SklearnForest }

const ROUNDS = 5
const BLOCK_ROWS = 1000
/** Rows that are scored over and over: more than a branch predictor learns by heart. */
const ROWS = 10_000
const BLOCK_REPEATS = 10
const SINGLE_ROWS = 5000
const MAX_BLOCK_RATIO = 0.7
const MAX_SINGLE_RATIO = 0.2

const scorerOf = (fitted: Fitted): Scorer =>
  createScorer({
    ...{ kind: 'classification', family: 'forest', standardiser: null, calibration: null },
    featureNames: Array.from({ length: fitted.columns }, (_, column) => `f${column}`),
    categories: Array.from({ length: fitted.columns }, () => []),
    classNames: Array.from({ length: fitted.forest.outputs }, (_, c) => `c${c}`),
    sections: createSections(packForest(forestOf(fitted.forest))),
  })

/** Scores the first rows again and again, `block` at a time. @returns seconds per row */
const secondsPerRow = (scorer: Scorer, rows: Float64Array, count: number, block: number, repeat: number): number => {
  const columns = scorer.featureNames.length
  const out = new Float64Array(block * scorer.outputs)
  // What a caller does: each block is a piece of memory of its own.
  const blocks = Array.from({ length: count / block }, (_, i) =>
    rows.slice(i * block * columns, (i + 1) * block * columns),
  )
  const start = performance.now()
  for (let round = 0; round < repeat; round++) {
    for (const features of blocks) scorer.scoreBlock(features, block, out)
  }
  return (performance.now() - start) / 1000 / repeat / count
}

const furthestApart = (scorer: Scorer, rows: Float64Array, expected: readonly number[]): number => {
  const out = new Float64Array(expected.length)
  scorer.scoreBlock(rows, expected.length / scorer.outputs, out)
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - out[i]!)), 0)
}

const microseconds = (seconds: number): string => `${(seconds * 1e6).toFixed(2)} us/row`

const compare = async (name: string, fitted: Fitted, peer: PeerProcess): Promise<BenchLine[]> => {
  const scorer = scorerOf(fitted)
  const rows = Float64Array.from(fitted.asked)
  const apart = furthestApart(scorer, rows, await peer.ask<number[]>({ values: ROWS }))
  // Both are the same forest; ONNX Runtime gives float32.
  if (!(apart < 1e-5)) throw new Error(`ONNX Runtime and Driftline differ by ${apart} on ${name}`)

  const lines: BenchLine[] = []
  const sizes = [
    { of: `in blocks of ${BLOCK_ROWS}`, block: BLOCK_ROWS, count: ROWS, repeat: BLOCK_REPEATS, most: MAX_BLOCK_RATIO },
    { of: 'one at a time', block: 1, count: SINGLE_ROWS, repeat: 1, most: MAX_SINGLE_RATIO },
  ]
  for (const { of, block, count, repeat, most } of sizes) {
    const ours: number[] = []
    const theirs: number[] = []
    const once = async (): Promise<void> => {
      ours.push(secondsPerRow(scorer, rows, count, block, repeat))
      theirs.push(await peer.ask<number>({ score: { block, rows: count, repeat } }))
    }
    // Not measured: the first round warms both sides.
    await once()
    ours.length = 0
    theirs.length = 0
    for (let round = 0; round < ROUNDS; round++) await once()
    const ratio = median(ours) / median(theirs)
    lines.push({
      measure: `score ${name} (${fitted.forest.feature.length} nodes), ${of}, one thread`,
      ours: microseconds(median(ours)),
      peer: `${microseconds(median(theirs))} ONNX Runtime`,
      figure: `${ratio.toFixed(2)}x`,
      target: `<= ${most}x`,
      met: ratio <= most,
    })
  }
  return lines
}

/** Two forests of scikit-learn, 100 trees of depth 10, each scored here and by ONNX Runtime, turn and turn about. */
export const run: ModelBench = async ({ peer, say }) => {
  const process = peer.start('models/scoring.py')
  try {
    say('scoring the enlarged Iris set')
    const { train } = enlargedIris()
    const rows = Array.from(train.features)
    // The rows to score are the training rows, as often as they are needed, each moved a little.
    const asked = Array.from({ length: ROWS * 4 }, (_, i) => rows[i % rows.length]! + ((i * 7919) % 1000) / 20_000)
    const iris = await process.ask<Fitted>({ fit: { rows, labels: Array.from(train.labels), asked } })
    const lines = await compare('enlarged Iris', iris, process)
    say('scoring the hard set')
    const hard = await process.ask<Fitted>({ fit: { train: 3400, test: ROWS } })
    return [...lines, ...(await compare('20 noisy features', hard, process))]
  } finally {
    process.stop()
  }
}
