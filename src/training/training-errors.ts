import { AppError, type AppErrorOptions } from '../errors.ts'
import { FitFailed } from '../models/model-errors.ts'

/** A fit was told to end before it was done. */
export class FitAborted extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('FIT_ABORTED', message, { retryable: true, ...options })
  }
}

/** A thread ended before it could tell a result or an error of its own. */
export class FitThreadDied extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('FIT_THREAD_DIED', message, options)
  }
}

/** FitFailed in place of what V8 throws where there is no memory for an array; any other error as it is. */
export const withoutArrayMemory = (error: unknown): unknown =>
  error instanceof RangeError && error.message === 'Array buffer allocation failed'
    ? new FitFailed('the fit needs an array that there is no memory for; fit fewer rows or a smaller model', {
        cause: error,
      })
    : error

/** The training thread died before it could tell a result or an error of its own. */
export class TrainingThreadDied extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('TRAINING_THREAD_DIED', message, options)
  }
}

/** The training was told to end before it was done. */
export class TrainingAborted extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('TRAINING_ABORTED', message, { retryable: true, ...options })
  }
}
