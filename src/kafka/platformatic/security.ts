import type { ConnectionOptions as TlsOptions } from 'node:tls'
import {
  AuthenticationError,
  type Connection,
  type SASLMechanismValue,
  type SASLOptions,
  type saslAuthenticateV2,
  saslScramSha,
} from '@platformatic/kafka'
import type { KafkaSasl, KafkaSecurity } from '../../config/kafka-security.ts'
import { createTokenSource, type TokenSource } from '../oauth-token.ts'

/** The credentials of one connection. */
export type SaslSession = {
  readonly sasl: SASLOptions
  /** How long the broker takes requests of this session, once it has begun; infinite where it sets no end. */
  readonly lifetimeMs: () => number
}

export type ConnectionSecurity = {
  readonly tls: TlsOptions | null
  /** What a new connection authenticates with; null without SASL. */
  readonly session: () => SaslSession | null
}

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const satisfies Record<KafkaSasl['mechanism'], SASLMechanismValue>

type Exchange = (
  connection: Connection,
  api: saslAuthenticateV2.SASLAuthenticationAPI,
) => Promise<saslAuthenticateV2.SaslAuthenticateResponse>

/** RFC 4616: no name to act for, then name and password. */
const plainExchange =
  (username: string, password: string): Exchange =>
  (connection, api) =>
    api.async(connection, Buffer.from(`\0${username}\0${password}`))

const scramExchange =
  (algorithm: 'SHA-256' | 'SHA-512', username: string, password: string): Exchange =>
  (connection, api) =>
    new Promise((resolve, reject) => {
      saslScramSha.authenticate(
        api,
        connection,
        algorithm,
        username,
        password,
        saslScramSha.defaultCrypto,
        (error, reply) => (error === null ? resolve(reply!) : reject(error)),
      )
    })

/**
 * RFC 7628. A refusal comes as a reply like any other, with the reason in it; taken for a success, the connection
 * would break at its first request without a word.
 */
const bearerExchange =
  (token: TokenSource): Exchange =>
  async (connection, api) => {
    const reply = await api.async(connection, Buffer.from(`n,,\x01auth=Bearer ${await token()}\x01\x01`))
    if (reply.authBytes.length === 0) return reply
    throw new AuthenticationError(`The broker refused the token: ${reply.authBytes.toString()}`)
  }

const exchangeOf = (sasl: KafkaSasl): Exchange => {
  switch (sasl.mechanism) {
    case 'plain':
      return plainExchange(sasl.username, sasl.password)
    case 'scram-sha-256':
      return scramExchange('SHA-256', sasl.username, sasl.password)
    case 'scram-sha-512':
      return scramExchange('SHA-512', sasl.username, sasl.password)
    case 'oauthbearer':
      return bearerExchange(createTokenSource(sasl))
  }
}

const createSession = (mechanism: SASLMechanismValue, exchange: Exchange): SaslSession => {
  let lifetimeMs = Number.POSITIVE_INFINITY
  return {
    sasl: {
      mechanism,
      authenticate: (_mechanism, connection, api, _username, _password, _token, callback) => {
        exchange(connection, api).then(
          (reply) => {
            if (reply.sessionLifetimeMs > 0n) lifetimeMs = Number(reply.sessionLifetimeMs)
            // The library would authenticate anew on the open connection and let requests go out meanwhile, which
            // brokers answer by closing it. A new connection takes over instead, before the session ends.
            callback(null, { ...reply, sessionLifetimeMs: 0n })
          },
          (error: Error) => callback(error, undefined as never),
        )
      },
    },
    lifetimeMs: () => lifetimeMs,
  }
}

/** What every connection of a client is opened with. Tokens are fetched when the first connection asks for one. */
export const connectionSecurity = ({ tls, sasl }: KafkaSecurity): ConnectionSecurity => {
  if (sasl === null) return { tls, session: () => null }
  const exchange = exchangeOf(sasl)
  return { tls, session: () => createSession(mechanisms[sasl.mechanism], exchange) }
}
