import { AppError } from '../../errors.ts'

/** What work came to, or why its candidate is left out. */
export type OrReason<T> = { readonly value: T } | { readonly reason: string }

/**
 * Turns a fit that failed into its reason. Told by its code: an error that comes from another thread has lost its class.
 * @throws any other error
 */
export const orReason = async <T>(work: Promise<T>): Promise<OrReason<T>> => {
  try {
    return { value: await work }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'FIT_FAILED') throw error
    return { reason: error.message }
  }
}
