import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ClassDataset } from '../../src/features/dataset.ts'
import { createRandom } from '../../src/features/random.ts'
import { flatForestOf } from '../../src/models/forest/forest-sections.ts'
import { createHistogramForestEstimator } from '../../src/models/forest/histogram-estimator.ts'
import { loadScorer } from '../../src/models/load-scorer.ts'
import type { ModelArtefact } from '../../src/models/manifest.ts'
import { artefactFromForest } from '../../src/models/onnx/artefact-from-forest.ts'
import { createSections } from '../../src/models/sections.ts'
import { forestCandidate } from './forest-candidate.ts'
import { type BenchLine, type ModelBench, median } from './model-bench.ts'

const ROUNDS = 15
const WARM_ROUNDS = 5
const TARGET_MS = 5
const COLUMNS = 20
const CLASSES = 3
const MODEL_BYTES = 5_000_000
const REFERENCE_ROWS = 500

/** Rows whose classes are mostly noise, so that trees grow large. */
const noisyRows = (rows: number): ClassDataset => {
  const random = createRandom(1, 'load bench')
  const features = Float64Array.from({ length: rows * COLUMNS }, () => random.next())
  const labels = Int32Array.from({ length: rows }, (_, row) =>
    random.below(3) > 0 ? random.below(CLASSES) : Math.floor(features[row * COLUMNS]! * CLASSES),
  )
  return {
    ...{ kind: 'classification', rows, features, labels },
    featureNames: Array.from({ length: COLUMNS }, (_, column) => `f${column}`),
    categories: Array.from({ length: COLUMNS }, () => []),
    classNames: Array.from({ length: CLASSES }, (_, c) => `c${c}`),
  }
}

/** A forest of at least 5 MB, as it is stored. */
const largeModel = (): ModelArtefact => {
  const dataset = noisyRows(4000)
  const { features, rows, labels } = dataset
  const grow = (trees: number): ModelArtefact => {
    const arrays = createHistogramForestEstimator({ ...forestCandidate.parameters, trees }).fit(
      {
        ...{ features, rows, columns: COLUMNS, categories: new Int32Array(COLUMNS) },
        target: { kind: 'classification', labels, classes: CLASSES },
      },
      1,
    )
    const forest = flatForestOf(createSections(arrays), { columns: COLUMNS, outputs: CLASSES })
    return artefactFromForest({
      ...{ task: 'bench', name: 'large', forest, parameters: {}, dataset, referenceRows: REFERENCE_ROWS, parent: null },
    })
  }
  const sample = 20
  const referenceBytes = REFERENCE_ROWS * COLUMNS * Float64Array.BYTES_PER_ELEMENT
  const treeBytes = (grow(sample).binary.byteLength - referenceBytes) / sample
  return grow(Math.ceil((MODEL_BYTES - referenceBytes) / treeBytes) + 1)
}

/** Lets the engine find what is garbage, as it has time to do between two models of a worker. */
const collector = (): (() => Promise<void>) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  return async () => {
    collectGarbage()
    await setImmediate()
  }
}

const timed = (load: () => unknown): number => {
  const start = performance.now()
  load()
  return performance.now() - start
}

const lineOf = (measure: string, times: readonly number[]): BenchLine => {
  const ms = median(times)
  return {
    ...{ measure, ours: `${ms.toFixed(2)} ms`, peer: '-' },
    figure: `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} ms`,
    target: `< ${TARGET_MS} ms`,
    met: ms < TARGET_MS,
  }
}

/**
 * A load checks the manifest, the digest and every node, and ends with a scorer that is ready. What is measured is the
 * swap of a model in a worker that has swapped before: its code is compiled, and there is memory of a former model.
 */
export const run: ModelBench = async ({ say }) => {
  say('growing a model of 5 MB')
  const collect = collector()
  const { manifest, binary } = largeModel()
  const folder = mkdtempSync(join(tmpdir(), 'driftline-load-'))
  try {
    const file = join(folder, 'model.bin')
    writeFileSync(file, binary)
    const size = `${(binary.byteLength / 1e6).toFixed(1)} MB`
    const ways = [
      { name: `load a model of ${size} from memory`, load: () => loadScorer(manifest, binary) },
      { name: `load a model of ${size} from a file`, load: () => loadScorer(manifest, readFileSync(file)) },
    ]
    const lines: BenchLine[] = []
    for (const { name, load } of ways) {
      const times: number[] = []
      for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
        const ms = timed(load)
        if (round >= 0) times.push(ms)
        await collect()
      }
      lines.push(lineOf(name, times))
    }
    return lines
  } finally {
    rmSync(folder, { recursive: true })
  }
}
