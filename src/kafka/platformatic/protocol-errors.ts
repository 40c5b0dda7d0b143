import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'
import { AppError, describeError } from '../../errors.ts'
import { accessDenied } from '../access-denied.ts'
import { isFencingError } from '../fencing-errors.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'

const UNKNOWN = 'UNKNOWN_SERVER_ERROR'

/** Kafka's name of an error code, such as `NOT_LEADER_OR_FOLLOWER` for 6. */
export const errorName = (code: number): string =>
  (protocolErrorsCodesById as Readonly<Record<number, string>>)[code] ?? `${UNKNOWN}_${code}`

/** Whether Kafka's protocol says that the same request may go through later. */
export const isRetriable = (name: string): boolean =>
  (protocolErrors as Readonly<Record<string, { readonly canRetry: boolean }>>)[name]?.canRetry ?? false

/** A broker answered a request, or a part of it, with an error code. */
export class BrokerRefused extends AppError {
  /** Kafka's name of the error. */
  readonly type: string

  constructor(what: string, errorCode: number) {
    const type = errorName(errorCode)
    super('BROKER_REFUSED', `${what}: ${type}`, { retryable: isRetriable(type) })
    this.type = type
  }
}

const MAX_DEPTH = 8

/** Kafka's name of the error that is first found in an error, its causes and its parts; or undefined. */
export const protocolErrorType = (error: unknown, depth = 0): string | undefined => {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return undefined
  if (error instanceof BrokerRefused) return error.type
  const { apiId, errors } = error as { apiId?: unknown; errors?: unknown }
  if (typeof apiId === 'string') return apiId
  for (const part of Array.isArray(errors) ? errors : []) {
    const found = protocolErrorType(part, depth + 1)
    if (found !== undefined) return found
  }
  return protocolErrorType(error.cause, depth + 1)
}

/** The reply that the library wraps in an error as soon as one part of it has an error code; or undefined. */
export const replyInError = <T>(error: unknown): T | undefined =>
  error instanceof Error && protocolErrorType(error) !== undefined ? (error as { response?: T }).response : undefined

/** The reply also where parts of it have error codes, which the caller then looks at. */
export const replyOf = <T>(reply: Promise<T>): Promise<T> =>
  reply.catch((error: unknown) => {
    const found = replyInError<T>(error)
    if (found === undefined) throw error
    return found
  })

/** Somebody else initialised this transactional id, or the broker gave its transaction up. */
export const isFenced = (error: unknown): boolean => isFencingError(protocolErrorType(error))

const COORDINATOR_MOVED: ReadonlySet<string | undefined> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
])

/** The coordinator is another broker by now, or begins its work: look it up again and repeat the request. */
export const isCoordinatorMoved = (error: unknown): boolean => COORDINATOR_MOVED.has(protocolErrorType(error))

const LEADER_MOVED: ReadonlySet<string | undefined> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
])

/** Whether an error code of a partition asks for new metadata of its topic. */
export const isLeaderMoved = (name: string | undefined): boolean => LEADER_MOVED.has(name)

/** Whether there was no answer: the connection could not be opened or broke, or nothing came in time. */
export const isConnectionError = (error: unknown): boolean => {
  for (let e = error, depth = 0; e instanceof Error && depth < MAX_DEPTH; e = e.cause, depth++) {
    const { code } = e as { code?: unknown }
    if (code === 'PLT_KFK_NETWORK' || code === 'PLT_KFK_TIMEOUT') return true
  }
  return false
}

/**
 * The error of this house for a step towards Kafka that failed: KafkaAccessDenied where the broker does not let us in,
 * else KafkaUnavailable; our own errors as they are.
 */
export const asUnavailable = (what: string, error: unknown): AppError => {
  if (error instanceof AppError && !(error instanceof BrokerRefused)) return error
  const type = protocolErrorType(error)
  const retryable = type === undefined || isRetriable(type)
  return (
    accessDenied(what, error) ?? new KafkaUnavailable(`${what}: ${describeError(error)}`, { cause: error, retryable })
  )
}
