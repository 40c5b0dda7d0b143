import type { TournamentInput, TournamentProgress, TournamentResult } from '../models/tournament/tournament-types.ts'
import type { SentError } from './sent-error.ts'

/** What the training thread is started with. */
export type TrainOrder = {
  readonly input: TournamentInput
  /** Threads that fit, beside the training thread, which prepares and scores. */
  readonly fitThreads: number
  /** Most memory that the objects of a thread may take, in MiB. */
  readonly memoryLimitMb: number
}

/** What the training thread tells its owner. The last message is a result or an error. */
export type TrainMessage =
  | { type: 'progress'; progress: TournamentProgress }
  | { type: 'result'; result: TournamentResult }
  | { type: 'error'; error: SentError }
