import type { Logger } from './log.ts'
import { createLogAllowance } from './log-allowance.ts'

/** A dead letter as the log tells of it. */
export type LoggedDeadLetter = {
  readonly code: string
  readonly message: string
  readonly schemaId?: number | undefined
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

export type DeadLetterLog = {
  /** Tells of the dead letters of a batch that is committed: of a few a second in full, of the rest how many there were. */
  readonly tell: <T>(
    letters: readonly T[],
    how: { readonly codeOf: (letter: T) => string; readonly describe: (letter: T) => LoggedDeadLetter },
  ) => void
  /** Tells how many were not shown, once their second is over; for readers that are told of letters alone. */
  readonly settle: () => void
}

const PER_CODE = 2
const IN_ALL = 5

/** @param now ms, for instance `performance.now` */
export const createDeadLetterLog = (logger: Pick<Logger, 'warn'>, now: () => number): DeadLetterLog => {
  const allowance = createLogAllowance({ perKind: PER_CODE, inAll: IN_ALL, now })

  const settle = (): void => {
    const hidden = allowance.settle()
    if (hidden === null) return
    const total = [...hidden.values()].reduce((sum, count) => sum + count, 0)
    logger.warn(
      { dead_letters: Object.fromEntries(hidden) },
      `${total} more dead letters that are not shown one by one`,
    )
  }

  return {
    // Called for every batch, also those without letters: so the last of a storm are told of as well.
    tell: (letters, { codeOf, describe }) => {
      settle()
      for (const letter of letters) if (allowance.take(codeOf(letter))) logger.warn(describe(letter), 'dead letter')
    },
    settle,
  }
}
