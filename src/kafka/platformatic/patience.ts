import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import { backoffMs } from '../backoff.ts'
import { asUnavailable, isConnectionError, isRetriable, protocolErrorType } from './protocol-errors.ts'

const BACKOFF = { firstMs: 20, maxMs: 300 }

/** Whether the same request may go through a moment later: a leader or coordinator moves, or a connection broke. */
export const mayPass = (error: unknown): boolean => {
  const type = protocolErrorType(error)
  if (type !== undefined) return isRetriable(type)
  return error instanceof AppError ? error.retryable : isConnectionError(error)
}

/**
 * Asks until it works, fails for good, or the time is over.
 * @param ask looks up anew whom to ask: what was known may be why it failed
 * @throws KafkaUnavailable with `what` for what did not pass; our own errors that cannot pass as they are
 */
export const withPatience = async <T>(
  what: string,
  patienceMs: number,
  ask: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  const deadline = performance.now() + patienceMs
  for (let failures = 1; ; failures++) {
    try {
      return await ask()
    } catch (error) {
      signal?.throwIfAborted()
      if (!mayPass(error) || performance.now() > deadline) throw asUnavailable(what, error)
    }
    await sleep(backoffMs(failures, Math.random(), BACKOFF), undefined, signal === undefined ? {} : { signal })
  }
}
