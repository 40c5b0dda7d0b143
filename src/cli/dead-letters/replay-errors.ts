import { AppError, type AppErrorOptions } from '../../errors.ts'

/** Another replay of the same task has begun and ended this one. */
export class ReplayFenced extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('REPLAY_FENCED', message, options)
  }
}

/** What earlier replays sent cannot be read now, so that nothing may be sent. */
export class ReplayBlocked extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('REPLAY_BLOCKED', message, options)
  }
}

/** There is no such letter. */
export class LetterNotFound extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('LETTER_NOT_FOUND', message, options)
  }
}
