import { parentPort, workerData } from 'node:worker_threads'
import { trainTournament } from '../models/tournament/train-tournament.ts'
import { createFitPool } from './fit-pool.ts'
import { packError } from './sent-error.ts'
import type { TrainMessage, TrainOrder } from './train-messages.ts'

// What runs in the training thread: one training, whose fits run in threads of its own, then the end.
const tell = (message: TrainMessage, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer)

const { input, fitThreads, memoryLimitMb } = workerData as TrainOrder
const pool = createFitPool({ threads: fitThreads, memoryLimitMb: input.memoryLimitMb ?? memoryLimitMb })
try {
  const result = await trainTournament(
    {
      ...input,
      // Not more than there are threads: a fit that waits for one would spend its time limit waiting.
      parallelFits: fitThreads,
      onProgress: (progress) => tell({ type: 'progress', progress }),
    },
    pool.fit,
  )
  const { buffer } = result.artefact.binary
  tell({ type: 'result', result }, buffer instanceof ArrayBuffer ? [buffer] : [])
} catch (error) {
  tell({ type: 'error', error: packError(error) })
} finally {
  await pool.close()
}
