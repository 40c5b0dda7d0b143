import { KafkaUnavailable } from './kafka-errors.ts'

/**
 * What `work` gives; where it takes longer than `deadlineMs` its result is dropped.
 * @throws what `onPassed` makes
 */
export const withDeadline = async <T>(work: Promise<T>, deadlineMs: number, onPassed: () => Error): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onPassed()), deadlineMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** The same for an answer of a broker. @param what begins the message @throws KafkaUnavailable */
export const withTimeout = <T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> =>
  withDeadline(work, timeoutMs, () => new KafkaUnavailable(`${what} within ${Math.round(timeoutMs)} ms`))
