import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describeError } from '../errors.ts'
import type { TournamentInput, TournamentProgress, TournamentResult } from '../models/tournament/tournament-types.ts'
import { unpackError } from './sent-error.ts'
import { shareDataset } from './share-dataset.ts'
import type { TrainMessage, TrainOrder } from './train-messages.ts'
import { TrainingAborted, TrainingThreadDied } from './training-errors.ts'

/** The thread's program lies beside this file: TypeScript in a checkout, JavaScript once built. */
const defaultEntry = new URL(`./train-entry${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

export type TrainThreadOptions = {
  /** Ends the training early; its threads are gone when the promise rejects. */
  signal?: AbortSignal
  onProgress?: (progress: TournamentProgress) => void
  /** Threads that fit; as many as there are cores if it is left out. They have no say in what comes out. */
  fitThreads?: number
  /** Most memory that the objects of each thread may take, in MiB; typed arrays are not counted. */
  memoryLimitMb?: number
  /** The thread's program; it speaks `TrainMessage`. */
  entry?: URL
}

const shared = async (input: TournamentInput): Promise<TournamentInput> => {
  const { base, recent, test } = input
  return {
    ...input,
    base: await shareDataset(base),
    ...(recent === undefined ? {} : { recent: await shareDataset(recent) }),
    ...(test === undefined ? {} : { test: await shareDataset(test) }),
  }
}

/**
 * Runs one training in a thread of its own, and its fits in further ones, so that this thread's event loop stays free.
 * The rows are copied, with pauses.
 * @throws what the training throws, by its code: TRAINING_FAILED, DATASET_INVALID, ...; TrainingThreadDied (out of
 * memory, or the thread ended without a word); TrainingAborted
 */
export const trainInThread = async (
  input: TournamentInput,
  options: TrainThreadOptions = {},
): Promise<TournamentResult> => {
  const {
    signal,
    onProgress,
    fitThreads = availableParallelism(),
    memoryLimitMb = 2048,
    entry = defaultEntry,
  } = options
  const throwIfAborted = (): void => {
    if (signal?.aborted === true) throw aborted()
  }
  const aborted = (): TrainingAborted =>
    new TrainingAborted(`the training was ended early: ${describeError(signal?.reason)}`)
  throwIfAborted()
  const workerData: TrainOrder = { input: await shared(input), fitThreads, memoryLimitMb }
  throwIfAborted()

  // Ending this thread ends the threads that it has started.
  const thread = new Worker(entry, { workerData, resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb } })
  let abort: (() => void) | undefined
  try {
    return await new Promise<TournamentResult>((resolve, reject) => {
      abort = () => reject(aborted())
      signal?.addEventListener('abort', abort, { once: true })
      thread.on('message', (message: TrainMessage) => {
        if (message.type === 'progress') onProgress?.(message.progress)
        else if (message.type === 'result') resolve(message.result)
        else reject(unpackError(message.error))
      })
      thread.on('error', (error: Error) => {
        const full = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        const hint = full ? `; it may use ${memoryLimitMb} MiB: train on fewer rows or with smaller candidates` : ''
        reject(new TrainingThreadDied(`the training thread died: ${describeError(error)}${hint}`, { cause: error }))
      })
      thread.on('exit', (code) =>
        reject(new TrainingThreadDied(`the training thread ended with code ${code} and no result`)),
      )
    })
  } finally {
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
    await thread.terminate()
  }
}
