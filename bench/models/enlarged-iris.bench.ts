import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { csvOf, enlargedIris } from './enlarged-iris.ts'
import { forestCandidate } from './forest-candidate.ts'
import { type ModelBench, median } from './model-bench.ts'

const RUNS = 5
const SEED = 42
const MIN_ACCURACY = 0.985
const MAX_SECONDS = 0.5

type Trained = { fit_seconds: number; metrics: { accuracy: number } }

const driftline = fileURLToPath(new URL('../../bin/driftline.js', import.meta.url))
const execute = promisify(execFile)

/** The forest of the requirements, as `driftline train` fits it: each run is a process of its own. */
const train = async (folder: string): Promise<Trained> => {
  const { trees, maxDepth, minSamplesSplit, minSamplesLeaf } = forestCandidate.parameters
  const { stdout } = await execute(process.execPath, [
    ...[driftline, 'train', '--data', join(folder, 'train.csv'), '--target', 'species'],
    ...['--holdout', join(folder, 'test.csv'), '--family', 'forest', '--seed', String(SEED)],
    ...['--trees', String(trees), '--max-depth', String(maxDepth)],
    ...['--min-samples-split', String(minSamplesSplit), '--min-samples-leaf', String(minSamplesLeaf)],
    ...['--out', join(folder, 'model'), '--json'],
  ])
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Trained
}

export const run: ModelBench = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'driftline-enlarged-iris-'))
  try {
    const rows = enlargedIris()
    await writeFile(join(folder, 'train.csv'), csvOf(rows.train))
    await writeFile(join(folder, 'test.csv'), csvOf(rows.test))
    const runs: Trained[] = []
    for (let index = 0; index < RUNS; index++) runs.push(await train(folder))
    const { accuracy } = runs[0]!.metrics
    const seconds = median(runs.map(({ fit_seconds }) => fit_seconds))
    return [
      {
        measure: 'enlarged Iris, 3,998 rows: test accuracy, time of the fit',
        ours: `${(100 * accuracy).toFixed(2)} %, ${seconds.toFixed(3)} s`,
        peer: '-',
        figure: `${(100 * accuracy).toFixed(2)} %, ${seconds.toFixed(3)} s`,
        target: '>= 98.5 %, < 0.5 s',
        met: accuracy >= MIN_ACCURACY && seconds < MAX_SECONDS,
      },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
