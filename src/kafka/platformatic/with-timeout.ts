import { KafkaUnavailable } from '../kafka-errors.ts'

/** What `work` gives; where it takes longer than `timeoutMs` its result is dropped. @throws KafkaUnavailable */
export const withTimeout = async <T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new KafkaUnavailable(`${what} within ${Math.round(timeoutMs)} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
