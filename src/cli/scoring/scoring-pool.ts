import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { AppError, describeError } from '../../errors.ts'
import type { ScoredCsv } from './score-block.ts'
import type { ScoringPlan, ScoringRequest } from './score-messages.ts'

/** The thread's program lies beside this file: TypeScript in a checkout, JavaScript once built. */
const entry = new URL(`./score-entry${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

export type ScoringPool = {
  readonly threads: number
  /** Blocks that the thread with the least to do has at hand. */
  readonly backlog: () => number
  /** Gives every thread the model; to be called once, before the first block. */
  readonly open: (plan: ScoringPlan) => void
  /** Scores a block in the thread that has the least to do. The block's buffer is gone afterwards. */
  readonly score: (request: ScoringRequest) => Promise<ScoredCsv>
  readonly close: () => Promise<void>
}

type Waiting = { resolve: (scored: ScoredCsv) => void; reject: (error: unknown) => void }
type Thread = { worker: Worker; waiting: Waiting[]; ended: unknown }

/** Young objects are few in a scoring thread; a large nursery would only fill memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 }

const startThread = (): Thread => {
  const thread: Thread = { worker: new Worker(entry, { resourceLimits }), waiting: [], ended: null }
  const end = (error: unknown): void => {
    thread.ended ??= error
    for (const { reject } of thread.waiting.splice(0)) reject(thread.ended)
  }
  thread.worker.on('message', (scored: ScoredCsv) => thread.waiting.shift()?.resolve(scored))
  thread.worker.on('error', (error: Error) =>
    end(new AppError('SCORING_FAILED', `a scoring thread ended: ${describeError(error)}`, { cause: error })),
  )
  thread.worker.on('exit', (code) => end(new AppError('SCORING_FAILED', `a scoring thread ended with code ${code}`)))
  return thread
}

/** Starts threads, which load their code while the caller opens the model. */
export const createScoringPool = (threads: number): ScoringPool => {
  const pool = Array.from({ length: threads }, startThread)
  const leastBusy = (): Thread =>
    pool.reduce((least, other) => (other.waiting.length < least.waiting.length ? other : least))
  return {
    threads,
    backlog: () => leastBusy().waiting.length,
    open: (plan) => {
      for (const { worker } of pool) worker.postMessage(plan)
    },
    score: (request) =>
      new Promise((resolve, reject) => {
        const thread = leastBusy()
        if (thread.ended !== null) {
          reject(thread.ended)
          return
        }
        thread.waiting.push({ resolve, reject })
        thread.worker.postMessage(request, [request.block.buffer])
      }),
    close: async () => {
      await Promise.all(pool.map(({ worker }) => worker.terminate()))
    },
  }
}
