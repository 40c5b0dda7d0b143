import { parentPort } from 'node:worker_threads'
import { createFitPool } from '../../../src/training/fit-pool.ts'
import { forestParameters, rawExample } from '../histogram-rows.ts'

// A pool within a thread: tells how many arrays came back.
const pool = createFitPool({ threads: 2 })
const candidate = {
  name: 'a',
  family: 'forest',
  engine: 'histogram',
  calibration: 'none',
  parameters: forestParameters(),
} as const
const arrays = await pool.fit({ candidate, rows: rawExample('iris'), seed: 3 })
await pool.close()
parentPort?.postMessage(arrays.length)
