import { type MessagePort, Worker } from 'node:worker_threads'
import { AppError, describeError } from '../errors.ts'
import { packError, type SentError, unpackError } from '../training/sent-error.ts'
import { shareDataset } from '../training/share-dataset.ts'
import { TrainingAborted, TrainingThreadDied } from '../training/training-errors.ts'
import type { RetrainingRows } from './retraining-rows.ts'

type Step = keyof RetrainingRows
type StepResult<S extends Step> = Awaited<ReturnType<RetrainingRows[S]>>
type RowsCall = { readonly step: Step; readonly args: readonly unknown[] }
type RowsReply =
  | { readonly status: 'done'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: SentError }

/** What is no error of ours may pass, as a file that is locked: the job is to be tried again. */
const sentError = (error: unknown): SentError =>
  error instanceof AppError
    ? packError(error)
    : { ...packError(error), code: 'RETRAINING_ROWS_FAILED', message: describeError(error), retryable: true }

/** The thread's side of `rowsInThread`: does what it is asked for, until it is ended. */
export const serveRows = (port: MessagePort, rows: RetrainingRows): void => {
  const inShared: RetrainingRows = {
    ...rows,
    trainingRows: async () => {
      const { base, recent, issues } = await rows.trainingRows()
      return { base: await shareDataset(base), recent: await shareDataset(recent), issues }
    },
  }
  port.on('message', async ({ step, args }: RowsCall) => {
    let reply: RowsReply
    try {
      reply = { status: 'done', result: await (inShared[step] as (...all: unknown[]) => Promise<unknown>)(...args) }
    } catch (error) {
      reply = { status: 'failed', error: sentError(error) }
    }
    port.postMessage(reply)
  })
}

export type RowsThreadOptions = {
  /** The thread's program, which calls `serveRows`. */
  readonly entry: URL
  readonly workerData: unknown
  /** Ends the waiting for the step at hand; the thread itself ends with `close`. */
  readonly signal: AbortSignal
  /** Most memory that the objects of the thread may take, in MiB; typed arrays are not counted. */
  readonly memoryLimitMb?: number
}

/**
 * Works on the rows of a retraining in a thread of its own, so that this thread's event loop stays free. The thread
 * starts with the first step; the rows to train on come in memory that threads share.
 * Steps throw what they throw there, by its code; TrainingThreadDied; TrainingAborted.
 */
export const rowsInThread = (options: RowsThreadOptions): RetrainingRows & { close: () => Promise<void> } => {
  const { entry, workerData, signal, memoryLimitMb = 2048 } = options
  let thread: Worker | undefined
  let death: TrainingThreadDied | undefined
  let waiting: { resolve: (reply: RowsReply) => void; reject: (error: Error) => void } | undefined

  const end = (error: Error): void => {
    const full = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const hint = full ? `; it may use ${memoryLimitMb} MiB: let the retraining take fewer recent labels` : ''
    const message = `the thread that works on the labelled rows died: ${describeError(error)}${hint}`
    death ??= new TrainingThreadDied(message, { cause: error })
    waiting?.reject(death)
  }

  const start = (): Worker => {
    const started = new Worker(entry, { workerData, resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb } })
    started.on('message', (reply: RowsReply) => waiting?.resolve(reply))
    started.on('error', end)
    started.on('exit', (code) => end(new Error(`it ended with code ${code}`)))
    return started
  }

  const ask =
    <S extends Step>(step: S) =>
    async (...args: Parameters<RetrainingRows[S]>): Promise<StepResult<S>> => {
      const aborted = (): TrainingAborted =>
        new TrainingAborted(`the retraining was ended early: ${describeError(signal.reason)}`)
      if (signal.aborted) throw aborted()
      if (death !== undefined) throw death
      thread ??= start()
      const asked = thread
      let abort: (() => void) | undefined
      try {
        const reply = await new Promise<RowsReply>((resolve, reject) => {
          waiting = { resolve, reject }
          abort = () => reject(aborted())
          signal.addEventListener('abort', abort, { once: true })
          asked.postMessage({ step, args } satisfies RowsCall)
        })
        if (reply.status === 'failed') throw unpackError(reply.error)
        return reply.result as StepResult<S>
      } finally {
        waiting = undefined
        if (abort !== undefined) signal.removeEventListener('abort', abort)
      }
    }

  return {
    open: ask('open'),
    trainingRows: ask('trainingRows'),
    compare: ask('compare'),
    close: async () => {
      await thread?.terminate()
    },
  }
}
