import { AppError, describeError } from '../errors.ts'
import { KafkaAccessDenied, KafkaUnavailable } from './kafka-errors.ts'

export type OAuthClient = {
  /** The token endpoint. */
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
}

/** Gives a bearer token that is valid for a while yet. @throws KafkaUnavailable, KafkaAccessDenied */
export type TokenSource = () => Promise<string>

type TokenSourceDeps = {
  readonly fetch?: typeof globalThis.fetch
  /** Milliseconds on any clock that does not go back. */
  readonly now?: () => number
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** The part of a token's life in which it is given out; the rest is for connections that begin with it. */
const FRESH_PART = 0.8

/** RFC 6749, section 2.3.1: both are form-encoded before they go into the header. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

type TokenReply = { readonly access_token?: unknown; readonly expires_in?: unknown; readonly error?: unknown }

/**
 * A source of tokens by client credentials (RFC 6749, section 4.4). A token is kept until four fifths of its life are
 * over; callers that come while one is fetched share it. A token of which nobody says how long it lives is not kept.
 */
export const createTokenSource = (client: OAuthClient, deps: TokenSourceDeps = {}): TokenSource => {
  const { fetch = globalThis.fetch, now = () => performance.now(), timeoutMs = TIMEOUT_MS } = deps
  let kept: { readonly token: string; readonly untilMs: number } | undefined
  let fetching: Promise<string> | undefined

  const ask = async (): Promise<{ status: number; body: string }> => {
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    if (client.scope !== undefined) body.set('scope', client.scope)
    const credentials = `${formEncoded(client.clientId)}:${formEncoded(client.clientSecret)}`
    const response = await fetch(client.tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: body.toString(),
      // The secret must not follow a redirect to another host.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, body: await response.text() }
  }

  const fetchToken = async (): Promise<string> => {
    const askedAtMs = now()
    const { status, body } = await ask()
    let reply: TokenReply = {}
    try {
      reply = Object(JSON.parse(body)) as TokenReply
    } catch {
      // Told below by its status.
    }
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      const reason = typeof reply.error === 'string' ? ` (${reply.error})` : ''
      throw new KafkaAccessDenied(
        `${client.tokenUrl} gave no token: it answered ${status}${reason}. Check KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET and KAFKA_OAUTH_SCOPE.`,
      )
    }
    if (status !== 200 || typeof reply.access_token !== 'string') {
      throw new KafkaUnavailable(`${client.tokenUrl} gave no token: it answered ${status} without one`)
    }
    const lifetimeMs = Number(reply.expires_in) * 1000
    kept = lifetimeMs > 0 ? { token: reply.access_token, untilMs: askedAtMs + lifetimeMs * FRESH_PART } : undefined
    return reply.access_token
  }

  return async () => {
    if (kept !== undefined && now() < kept.untilMs) return kept.token
    fetching ??= fetchToken()
      .catch((error: unknown) => {
        if (error instanceof AppError) throw error
        throw new KafkaUnavailable(`no token could be had from ${client.tokenUrl}: ${describeError(error)}`, {
          cause: error,
        })
      })
      .finally(() => {
        fetching = undefined
      })
    return await fetching
  }
}
