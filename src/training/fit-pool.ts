import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppError, describeError } from '../errors.ts'
import type { HistogramForestParameters } from '../models/candidate.ts'
import type { TrainingRows } from '../models/estimator.ts'
import type { FitRunner } from '../models/fit-task.ts'
import { checkCategories } from '../models/forest/histogram/bin-features.ts'
import { allocateBinnedRows } from '../models/forest/histogram/binned-rows.ts'
import { settleRules } from '../models/forest/histogram/growth-rules.ts'
import { FitFailed } from '../models/model-errors.ts'
import type { NamedArray } from '../models/sections.ts'
import { buffersIn } from './buffers-in.ts'
import type { FitReply, FitResults, FitWork } from './fit-messages.ts'
import { startFitThreads } from './fit-threads.ts'
import { unpackError } from './sent-error.ts'
import { shareRows } from './share-rows.ts'
import { FitAborted, FitThreadDied, withoutArrayMemory } from './training-errors.ts'

/** The threads' program lies beside this file: TypeScript in a checkout, JavaScript once built. */
const defaultEntry = new URL(`./fit-entry${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

export type FitPoolOptions = {
  /** At least 1. They are started at once and live until `close`. */
  readonly threads: number
  /** Most memory that the objects of one thread may take, in MiB; typed arrays are not counted. */
  readonly memoryLimitMb?: number
  /** The threads' program; it takes `FitWork` and gives back `FitReply`. */
  readonly entry?: URL
}

export type FitPool = {
  /**
   * Fits in the pool's threads; this thread's event loop stays free. A histogram forest is spread over all threads,
   * any other engine takes one. The arrays do not depend on the number of threads.
   * @throws FitFailed, also where a thread runs out of memory; FitThreadDied; FitAborted as soon as `signal` is
   * aborted: the threads that worked on the fit are ended and replaced
   */
  readonly fit: FitRunner
  /** Ends the threads. Fits that still run are rejected with FitThreadDied, and so are those that come later. */
  readonly close: () => Promise<void>
}

const DEFAULT_MEMORY_LIMIT_MB = 2048

/** Starts threads that fit. */
export const createFitPool = ({
  threads,
  memoryLimitMb = DEFAULT_MEMORY_LIMIT_MB,
  entry = defaultEntry,
}: FitPoolOptions): FitPool => {
  let threadSet = startFitThreads(entry, threads, memoryLimitMb)
  let closed = false

  /** Runs one fit's pieces of work; where one of them fails the others end, too. */
  const createCrew = (signal: AbortSignal | undefined) => {
    if (threadSet.stopped.aborted && !closed) threadSet = startFitThreads(entry, threads, memoryLimitMb)
    const { pool, stopped } = threadSet
    const failure = new AbortController()
    const ending = AbortSignal.any([stopped, failure.signal, ...(signal === undefined ? [] : [signal])])

    const reasonFor = (error: unknown): AppError => {
      if (signal?.aborted === true) {
        return new FitAborted(`the fit was ended early: ${describeError(signal.reason)}`, { cause: error })
      }
      if (stopped.aborted) {
        const { reason: cause } = stopped
        return new FitThreadDied(`the threads of the pool have ended: ${describeError(cause)}`, { cause })
      }
      if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        return new FitFailed(
          `the fit needs more memory than the ${memoryLimitMb} MiB that a thread may use; fit fewer rows or a smaller model`,
          { cause: error },
        )
      }
      return new FitThreadDied(`a thread of the pool ended without a result: ${describeError(error)}`, { cause: error })
    }

    const run = async <T extends FitWork['type']>(work: Extract<FitWork, { type: T }>): Promise<FitResults[T]> => {
      // Parts of a forest may take a hundred megabytes, and copying them would hold this thread.
      const transferList = work.type === 'join' ? buffersIn(work) : []
      const reply = await pool.run(work, { signal: ending, transferList }).catch((error: unknown) => {
        throw reasonFor(error)
      })
      const { status, ...rest } = reply as FitReply<T>
      if (status === 'failed') throw unpackError((rest as Extract<FitReply<T>, { status: 'failed' }>).error)
      return (rest as Extract<FitReply<T>, { status: 'done' }>).result
    }

    const all = async <R>(pieces: readonly Promise<R>[]): Promise<R[]> => {
      try {
        return await Promise.all(pieces)
      } catch (error) {
        failure.abort(error)
        await Promise.allSettled(pieces)
        throw error
      }
    }
    return { run, all }
  }

  const fitHistogramForest = async (
    rows: TrainingRows,
    parameters: HistogramForestParameters,
    seed: number,
    { run, all }: ReturnType<typeof createCrew>,
  ): Promise<NamedArray[]> => {
    // What cannot be fitted is refused here: an error in one thread costs the others theirs.
    settleRules(parameters, rows.columns, rows.target)
    checkCategories(rows.categories)
    const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes)
    const binned = allocateBinnedRows(rows.rows, rows.categories, shared)
    const { maxBins, trees } = parameters
    const binners = Math.min(threads, rows.columns)
    const firstColumn = (binner: number): number => Math.floor((binner * rows.columns) / binners)
    await all(
      Array.from({ length: binners }, (_, binner) =>
        run<'bin'>({
          type: 'bin',
          rows,
          maxBins,
          binned,
          fromColumn: firstColumn(binner),
          toColumn: firstColumn(binner + 1),
        }),
      ),
    )
    const nextTree = new Int32Array(shared(Int32Array.BYTES_PER_ELEMENT))
    const parts = await all(
      Array.from({ length: Math.min(threads, trees) }, () =>
        run<'grow'>({ type: 'grow', binned, target: rows.target, parameters, seed, nextTree }),
      ),
    )
    return run<'join'>({ type: 'join', parts })
  }

  return {
    fit: async ({ candidate, rows, seed }, { signal, onBegin } = {}) => {
      if (signal?.aborted === true) {
        throw new FitAborted(`the fit was ended before it began: ${describeError(signal.reason)}`)
      }
      try {
        const shared = await shareRows(rows)
        const crew = createCrew(signal)
        if (onBegin !== undefined) {
          await crew.run<'begin'>({ type: 'begin', engine: candidate.engine })
          onBegin()
        }
        return candidate.engine === 'histogram'
          ? await fitHistogramForest(shared, candidate.parameters, seed, crew)
          : await crew.run<'fit'>({ type: 'fit', task: { candidate, rows: shared, seed } })
      } catch (error) {
        throw withoutArrayMemory(error)
      }
    },
    close: () => {
      closed = true
      return threadSet.stop(new Error('the pool was closed'))
    },
  }
}
