import { AppError, describeError } from '../errors.ts'
import { KafkaAccessDenied } from './kafka-errors.ts'

const CREDENTIALS = 'Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (or the OAuth settings).'
const CERTIFICATE = 'Check KAFKA_SSL_CA_FILE, KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE, and the name in the address.'
const PROTOCOL = 'Check KAFKA_SECURITY_PROTOCOL against the listener behind this address.'

/** Names and codes of errors that say that the broker does not take the credentials, by either client. */
const REFUSED_CREDENTIALS: ReadonlySet<unknown> = new Set([
  'PLT_KFK_AUTHENTICATION',
  'KafkaJSSASLAuthenticationError',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])

/** Codes of Node and OpenSSL for a certificate that is not trusted, out of date, or of another host. */
const REFUSED_CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT_.*|ERR_SSL_.*(CERT|CA|ALERT).*)$/

/** What is said where one side speaks TLS and the other does not. */
const OTHER_PROTOCOL =
  /Broker requires TLS|before secure TLS connection|TLS handshake failed|ERR_SSL_WRONG_VERSION_NUMBER/

const adviceFor = (error: Error): string | undefined => {
  const { name, code, type } = error as { name: string; code?: unknown; type?: unknown }
  if (OTHER_PROTOCOL.test(error.message) || (typeof code === 'string' && OTHER_PROTOCOL.test(code))) return PROTOCOL
  if (typeof code === 'string' && REFUSED_CERTIFICATE.test(code)) return CERTIFICATE
  if ([name, code, type].some((word) => REFUSED_CREDENTIALS.has(word))) return CREDENTIALS
  return undefined
}

const causesOf = (error: unknown, depth = 0): Error[] => {
  if (!(error instanceof Error) || depth > 8) return []
  const parts = error instanceof AggregateError ? error.errors : []
  return [error, ...causesOf(error.cause, depth + 1), ...parts.flatMap((part) => causesOf(part, depth + 1))]
}

/**
 * The error to throw where a broker refused our credentials, or we its certificate; undefined for any other error.
 * Trying again does not help then, so it must not look like a broker that is away.
 * @param what what was tried, and where
 */
export const accessDenied = (what: string, error: unknown): KafkaAccessDenied | undefined => {
  const causes = causesOf(error)
  const denied = causes.find((cause) => cause instanceof KafkaAccessDenied)
  if (denied !== undefined) return denied
  // A source of tokens that cannot be reached fails the authentication too, and comes back.
  if (causes.some((cause) => cause instanceof AppError && cause.retryable)) return undefined
  // The innermost error knows best: a refused certificate ends as a connection that broke.
  const advice = causes
    .toReversed()
    .map(adviceFor)
    .find((found) => found !== undefined)
  if (advice === undefined) return undefined
  return new KafkaAccessDenied(`${what}: ${describeError(error)}. ${advice}`, { cause: error })
}
