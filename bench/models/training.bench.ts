import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClassDataset } from '../../src/features/dataset.ts'
import { evaluate } from '../../src/models/evaluate.ts'
import { fittedModel, prepareRows } from '../../src/models/fit-candidate.ts'
import { createFitPool, type FitPool } from '../../src/training/fit-pool.ts'
import type { PeerProcess } from '../peers.ts'
import { enlargedIris } from './enlarged-iris.ts'
import { forestCandidate } from './forest-candidate.ts'
import { type BenchLine, type ModelBench, median } from './model-bench.ts'

/** A data set as it lies in a file, for both sides. */
type Sizes = { readonly rows: number; readonly testRows: number; readonly columns: number; readonly classes: number }

const RUNS = 5
const THREADS = 2
const MAX_RATIO = 0.5
const MAX_ACCURACY_LOSS = 0.005

const generated = [
  { rows: 20_000, testRows: 5000, columns: 20, classes: 2 },
  { rows: 100_000, testRows: 20_000, columns: 20, classes: 2 },
] as const satisfies readonly Sizes[]

const datasetOf = (features: Float64Array, labels: Int32Array, classes: number): ClassDataset => {
  const columns = features.length / labels.length
  return {
    kind: 'classification',
    featureNames: Array.from({ length: columns }, (_, column) => `f${column}`),
    categories: Array.from({ length: columns }, () => []),
    classNames: Array.from({ length: classes }, (_, c) => `c${c}`),
    rows: labels.length,
    features,
    labels,
  }
}

const readRows = (path: string, { rows, testRows, columns, classes }: Sizes) => {
  const { buffer } = new Uint8Array(readFileSync(path))
  const count = rows + testRows
  const features = new Float64Array(buffer, 0, count * columns)
  const labels = new Int32Array(buffer, 8 * count * columns, count)
  return {
    train: datasetOf(features.slice(0, rows * columns), labels.slice(0, rows), classes),
    test: datasetOf(features.slice(rows * columns), labels.slice(rows), classes),
  }
}

const bytesOf = ({ buffer }: Float64Array | Int32Array): Uint8Array => new Uint8Array(buffer)

const writeIris = (path: string): Sizes => {
  const { train, test } = enlargedIris()
  writeFileSync(path, Buffer.concat([train.features, test.features, train.labels, test.labels].map(bytesOf)))
  return { rows: train.rows, testRows: test.rows, columns: 4, classes: 3 }
}

const compare = async (path: string, sizes: Sizes, pool: FitPool, sklearn: PeerProcess): Promise<BenchLine> => {
  const { rows, testRows, columns } = sizes
  await sklearn.ask({ load: { rows, test_rows: testRows, columns, path } })
  const { train, test } = readRows(path, sizes)

  const fitOurs = async (seed: number): Promise<{ ms: number; accuracy: number }> => {
    const from = performance.now()
    const { rows: training } = prepareRows(forestCandidate, train)
    const arrays = await pool.fit({ candidate: forestCandidate, rows: training, seed })
    const ms = performance.now() - from
    const evaluation = evaluate(fittedModel(forestCandidate, train, arrays, null).scorer, test)
    return { ms, accuracy: evaluation.kind === 'classification' ? evaluation.accuracy : Number.NaN }
  }
  const fitTheirs = (seed: number): Promise<{ ms: number; accuracy: number }> =>
    sklearn.ask({ fit: { seed, jobs: THREADS } })

  // Not measured: both sides are warm from then on.
  await fitOurs(0)
  await fitTheirs(0)
  const ours: { ms: number; accuracy: number }[] = []
  const theirs: { ms: number; accuracy: number }[] = []
  for (let run = 1; run <= RUNS; run++) {
    ours.push(await fitOurs(run))
    theirs.push(await fitTheirs(run))
  }
  const medianMs = (runs: readonly { ms: number }[]): number => median(runs.map(({ ms }) => ms))
  const accuracy = (runs: readonly { accuracy: number }[]): number =>
    runs.reduce((sum, run) => sum + run.accuracy, 0) / runs.length
  const ratio = medianMs(ours) / medianMs(theirs)
  const lead = accuracy(ours) - accuracy(theirs)
  const told = (runs: readonly { ms: number; accuracy: number }[]): string =>
    `${medianMs(runs).toFixed(0)} ms, ${(100 * accuracy(runs)).toFixed(2)} %`
  return {
    measure: `training 100 trees, depth 10, ${rows.toLocaleString('en')}x${columns}, 2 threads`,
    ours: told(ours),
    peer: `scikit-learn ${told(theirs)}`,
    figure: `${ratio.toFixed(3)}x, ${lead < 0 ? '' : '+'}${(100 * lead).toFixed(2)} points`,
    target: `<= ${MAX_RATIO}x, >= -0.5 points`,
    met: ratio <= MAX_RATIO && lead >= -MAX_ACCURACY_LOSS,
  }
}

/** Training with two warm threads on both sides; the accuracy is the mean over the runs, whose seeds differ. */
export const run: ModelBench = async ({ peer, say }) => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-training-'))
  const pool = createFitPool({ threads: THREADS })
  const sklearn = peer.start('models/training.py')
  const lines: BenchLine[] = []
  try {
    const path = join(folder, 'rows.bin')
    say('  enlarged Iris')
    lines.push(await compare(path, writeIris(path), pool, sklearn))
    for (const sizes of generated) {
      say(`  ${sizes.rows} x ${sizes.columns}`)
      await sklearn.ask({
        make: { rows: sizes.rows, test_rows: sizes.testRows, columns: sizes.columns, seed: 1, path },
      })
      lines.push(await compare(path, sizes, pool, sklearn))
    }
  } finally {
    sklearn.stop()
    await pool.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return lines
}
