import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset } from '../../../src/features/dataset.ts'
import { createFolderStore } from '../../../src/registry/folder-store.ts'
import { createRedisSignal } from '../../../src/registry/redis-signal.ts'
import { createRegistry } from '../../../src/registry/registry.ts'
import { forestParameters } from '../histogram-rows.ts'
import { sampleRun } from '../sample-artefact.ts'
import { storedModel } from '../stored-model.ts'
import type { TestTask } from '../task-file.ts'
import { testLogger } from '../test-logger.ts'

const CLASSES = ['setosa', 'versicolor', 'virginica']

const readDataset = (): Dataset => {
  const text = readFileSync(new URL('../../../examples/iris/iris.csv', import.meta.url), 'utf8')
  const [header = '', ...lines] = text.trimEnd().split('\n')
  const rows = lines.map((line) => line.trimEnd().split(','))
  return {
    kind: 'classification',
    featureNames: header.trimEnd().split(',').slice(0, 4),
    categories: [[], [], [], []],
    classNames: CLASSES,
    rows: rows.length,
    features: Float64Array.from(rows.flatMap((row) => row.slice(0, 4).map(Number))),
    labels: Int32Array.from(rows, (row) => CLASSES.indexOf(row[4] ?? '')),
  }
}

/** Model versions of a task, ready to be promoted, and the way to promote them as the command line does. */
export type StoredModels = {
  readonly versions: readonly string[]
  /** Returns when the workers are told of it. */
  readonly promote: (version: string) => Promise<void>
  /** Of the aliases in the store. */
  readonly epoch: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Trains forests that differ by their seed, stores them as versions and promotes the first one. */
export const storeModels = async (task: TestTask, redisUrl: string, count: number): Promise<StoredModels> => {
  const store = createFolderStore({ root: join(task.home, 'artefacts', task.task) })
  const logger = testLogger()
  const signal = createRedisSignal({ redisUrl, task: task.task, ackTtlMs: 15_000, logger })
  const registry = createRegistry({ store, signal, now: Date.now, logger })
  const dataset = readDataset()
  const versions: string[] = []
  for (let seed = 1; seed <= count; seed++) {
    const { manifest, binary } = storedModel(
      {
        name: 'forest',
        family: 'forest',
        engine: 'histogram',
        calibration: 'none',
        parameters: forestParameters({ trees: 50 }),
      },
      dataset,
      seed,
    )
    versions.push(await store.addVersion({ manifest: { ...manifest, task: task.task }, binary }, sampleRun()))
  }
  const promote = async (version: string): Promise<void> => {
    await registry.promote({ alias: 'production', version, actor: 'test', reason: 'because' })
  }
  await promote(versions[0]!)
  return { versions, promote, epoch: async () => (await store.readAliases()).epoch, close: () => signal.close() }
}
