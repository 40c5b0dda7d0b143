// A thread that works on rows as `workerData` says, to try how its owner bears it.
import { parentPort, workerData } from 'node:worker_threads'
import { ConfigInvalid } from '../../../src/errors.ts'
import type { RetrainingRows } from '../../../src/retraining/retraining-rows.ts'
import { serveRows } from '../../../src/retraining/rows-thread.ts'
import { labelledRows, rowsFrom } from '../retrain-world.ts'

const all = labelledRows(200, 0.8)
const rows = rowsFrom({ countLabelled: async () => all.length, labelledRows: async () => all })

const fill = (): never => {
  const kept: unknown[] = []
  for (;;) kept.push(new Array(100_000).fill({}))
}

const behaviours: Record<string, Partial<RetrainingRows>> = {
  'as it should': {},
  'throws ours': { trainingRows: () => Promise.reject(new ConfigInvalid('cannot read the dataset')) },
  'throws another': { trainingRows: () => Promise.reject(new Error('database is locked')) },
  blocks: {
    trainingRows: () => {
      for (;;);
    },
  },
  'fills its memory': { trainingRows: async () => fill() },
  'ends between steps': {
    open: async (query) => {
      setTimeout(() => process.exit(3), 0)
      return rows.open(query)
    },
  },
}

if (parentPort !== null) serveRows(parentPort, { ...rows, ...behaviours[String(workerData)] })
