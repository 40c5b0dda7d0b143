import { AppError, describeError } from '../../errors.ts'
import { accessDenied } from '../access-denied.ts'
import { isFencingError } from '../fencing-errors.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'

type ProtocolError = Error & { readonly type: string }

/** The first error in the chain of causes that has one of Kafka's names; kafkajs wraps it when it gives up. */
const protocolError = (error: unknown): ProtocolError | undefined => {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    if (typeof (e as { type?: unknown }).type === 'string') return e as ProtocolError
  }
  return undefined
}

/** Kafka's name of the error, such as `INVALID_PRODUCER_EPOCH`, or undefined. */
export const protocolErrorType = (error: unknown): string | undefined => protocolError(error)?.type

/** Somebody else initialised this transactional id, or the broker gave its transaction up. */
export const isFenced = (error: unknown): boolean => isFencingError(protocolErrorType(error))

const HOPELESS: ReadonlySet<string | undefined> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TOPIC_EXCEPTION',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
])

/** Whether the same bytes will meet the same error, however often they are sent. */
export const isHopeless = (error: unknown): boolean => HOPELESS.has(protocolErrorType(error))

const REBALANCING: ReadonlySet<string> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

/**
 * The error that tells that the group moved on and has to be joined again, as kafkajs knows it; or undefined.
 * A coordinator that is no longer one is none: it may be that of a transaction, which is no reason for the whole group
 * to stop. If it is the group's, the next heartbeat tells kafkajs.
 */
export const rebalanceError = (error: unknown): Error | undefined => {
  const found = protocolError(error)
  return found !== undefined && REBALANCING.has(found.type) ? found : undefined
}

/**
 * Waits for a step towards Kafka.
 * @throws KafkaAccessDenied, KafkaUnavailable for whatever kafkajs throws; our own errors as they are
 */
export const orUnavailable = async <T>(what: string, step: Promise<T>): Promise<T> => {
  try {
    return await step
  } catch (error) {
    if (error instanceof AppError) throw error
    const denied = accessDenied(what, error)
    if (denied !== undefined) throw denied
    throw new KafkaUnavailable(`${what}: ${describeError(error)}`, { cause: error })
  }
}
