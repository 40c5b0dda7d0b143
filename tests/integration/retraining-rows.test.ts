import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, expect, test } from 'vitest'
import { readTaskDataset } from '../../src/cli/dataset.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { NumberDataset } from '../../src/features/dataset.ts'
import { createSqliteHistory } from '../../src/history/sqlite-history.ts'
import { loadScorer } from '../../src/models/load-scorer.ts'
import { createRetrainingRows, type RetrainingRows } from '../../src/retraining/retraining-rows.ts'
import { rowsInThread } from '../../src/retraining/rows-thread.ts'
import { regressors } from '../support/engine-candidates.ts'
import { labelOf, predictionRow } from '../support/history-rows.ts'
import { storedModel } from '../support/stored-model.ts'

const entry = new URL('../../src/cli/roles/retraining-rows-entry.ts', import.meta.url)

let folder = ''
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The bundled task of a number and a category, with a history of its rows. */
const recordedTask = async (events: number) => {
  folder = mkdtempSync(join(tmpdir(), 'driftline-rows-'))
  const { task, ...rest } = await loadConfig({
    configPath: 'examples/diabetes/driftline.yaml',
    env: { DRIFTLINE_HOME: folder },
  })
  const config = { ...rest, task: { ...task, retraining: { ...task.retraining, recentLabels: events } } }
  const base = (await readTaskDataset(config)) as NumberDataset
  const width = base.featureNames.length
  const history = createSqliteHistory({ file: config.paths.history })
  for (let from = 0; from < events; from += 5000) {
    const numbers = Array.from({ length: Math.min(5000, events - from) }, (_, i) => from + i)
    const featuresOf = (n: number) => {
      const row = n % base.rows
      const values = base.features.subarray(row * width, (row + 1) * width)
      return Array.from(values, (value, column) => base.categories[column]?.[value] ?? value)
    }
    await history.recordPredictions(numbers.map((n) => predictionRow(n, { value: 100, features: featuresOf(n) })))
    await history.recordLabels(numbers.map((n) => labelOf(n, { label: String(base.targets[n % base.rows]) })))
  }
  await history.close()
  return { config, base }
}

/** All steps of a retraining, and how long this thread's event loop was busy with them, in milliseconds. */
const work = async (rows: RetrainingRows, base: NumberDataset) => {
  const before = performance.eventLoopUtilization()
  const models = [storedModel(regressors.at(-1)!, base), storedModel(regressors[0]!, base)] as const
  const modelFeatures = new Map([['1', base.featureNames]])
  const started = performance.eventLoopUtilization(before).active
  const opened = await rows.open({ sinceEventTime: null, modelFeatures })
  const training = await rows.trainingRows()
  const comparison = await rows.compare(...models)
  const busyMs = performance.eventLoopUtilization(before).active - started
  return { found: { opened, training, comparison }, busyMs }
}

test('a retraining finds the same rows and figures in its thread, and leaves the event loop free', async () => {
  const { config, base } = await recordedTask(20_000)
  const there = rowsInThread({ entry, workerData: config, signal: new AbortController().signal })
  const inThread = await work(there, base).finally(there.close)
  const history = createSqliteHistory({ file: config.paths.history })
  const readBase = () => readTaskDataset(config)
  const here = await work(createRetrainingRows({ task: config.task, history, readBase, loadScorer }), base)
  await history.close()

  expect(inThread.found).toEqual(here.found)
  expect(inThread.found.opened).toEqual({ status: 'ready', labels: 20_000 })
  expect(inThread.found.comparison).toMatchObject({ challenger: { kind: 'regression', rows: expect.any(Number) } })
  // Seconds against milliseconds; half of it is far from both.
  expect(inThread.busyMs).toBeLessThan(here.busyMs / 2)
})
