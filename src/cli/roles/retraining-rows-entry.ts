import { parentPort, workerData } from 'node:worker_threads'
import type { Config } from '../../config/config.ts'
import { openSqliteHistoryReader } from '../../history/sqlite-history-reader.ts'
import { loadScorer } from '../../models/load-scorer.ts'
import { createRetrainingRows } from '../../retraining/retraining-rows.ts'
import { serveRows } from '../../retraining/rows-thread.ts'
import { readTaskDataset } from '../dataset.ts'

// What runs in the thread of `rowsInThread`; it ends when it is terminated.
const config = workerData as Config
if (parentPort !== null) {
  const rows = createRetrainingRows({
    task: config.task,
    history: openSqliteHistoryReader({ file: config.paths.history }),
    readBase: () => readTaskDataset(config),
    loadScorer,
  })
  serveRows(parentPort, rows)
}
