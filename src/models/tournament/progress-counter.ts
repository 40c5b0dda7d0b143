import type { TournamentProgress } from './tournament-types.ts'

/** Counts the steps of a training: each fit is one, and those that are left out count as done. */
export type ProgressCounter = {
  /** A step of `candidate` has ended. */
  readonly done: (candidate: string, fold: number | null) => void
  /** `steps` steps will not be made. */
  readonly leaveOut: (candidate: string, steps: number) => void
}

export const createProgressCounter = (
  stepsTotal: number,
  onProgress: ((progress: TournamentProgress) => void) | undefined,
): ProgressCounter => {
  let stepsDone = 0
  const advance = (candidate: string, fold: number | null, steps: number): void => {
    if (steps === 0) return
    // A fit that takes the place of a failed one was not counted on.
    stepsDone = Math.min(stepsTotal, stepsDone + steps)
    onProgress?.({ candidate, fold, stepsDone, stepsTotal })
  }
  return {
    done: (candidate, fold) => advance(candidate, fold, 1),
    leaveOut: (candidate, steps) => advance(candidate, null, steps),
  }
}
