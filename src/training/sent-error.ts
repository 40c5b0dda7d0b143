import { AppError } from '../errors.ts'
import { FitFailed } from '../models/model-errors.ts'

/** An error as plain data: its class and its code do not survive the way between threads. */
export type SentError = {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly stack: string | undefined
}

/** @param error anything that was thrown; what is none of our errors gets the code FIT_CRASHED */
export const packError = (error: unknown): SentError => {
  if (!(error instanceof Error)) {
    return { code: 'FIT_CRASHED', message: String(error), retryable: false, stack: undefined }
  }
  const { message, stack } = error
  if (error instanceof AppError) return { code: error.code, message, retryable: error.retryable, stack }
  return { code: 'FIT_CRASHED', message, retryable: false, stack }
}

/** The error that was sent, with its code and the stack of the thread where it happened. */
export const unpackError = ({ code, message, retryable, stack }: SentError): AppError => {
  const error = code === 'FIT_FAILED' ? new FitFailed(message) : new AppError(code, message, { retryable })
  if (stack !== undefined) error.stack = stack
  return error
}
