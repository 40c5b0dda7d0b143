import { AppError, type AppErrorOptions } from '../errors.ts'

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
