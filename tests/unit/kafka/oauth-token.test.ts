import { describe, expect, test } from 'vitest'
import { createTokenSource } from '../../../src/kafka/oauth-token.ts'

const client = { tokenUrl: 'https://login.example/token', clientId: 'a b', clientSecret: 's:e&c', scope: 'kafka' }

type Call = { url: string; init: RequestInit }

const world = (reply: () => Response | Promise<Response>) => {
  const calls: Call[] = []
  let nowMs = 0
  const source = createTokenSource(client, {
    now: () => nowMs,
    fetch: async (url, init) => {
      calls.push({ url: String(url), init: init! })
      return await reply()
    },
  })
  return {
    source,
    calls,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

const token = (name: string, seconds?: number): Response =>
  Response.json({ access_token: name, ...(seconds === undefined ? {} : { expires_in: seconds }) })

describe('token source', () => {
  test('asks as RFC 6749 says', async () => {
    const { source, calls } = world(() => token('t', 100))
    expect(await source()).toBe('t')
    const { url, init } = calls[0]!
    expect(url).toBe(client.tokenUrl)
    expect(init).toMatchObject({ method: 'POST', redirect: 'error' })
    expect(Object.fromEntries(new URLSearchParams(String(init.body)))).toEqual({
      grant_type: 'client_credentials',
      scope: 'kafka',
    })
    const { authorization } = init.headers as Record<string, string>
    // Both parts are form-encoded before they are joined.
    expect(Buffer.from(authorization!.slice(6), 'base64').toString()).toBe('a+b:s%3Ae%26c')
  })

  test('gives one token out until four fifths of its life are over', async () => {
    let made = 0
    const { source, calls, pass } = world(() => token(`t${++made}`, 100))
    expect(await Promise.all([source(), source(), source()])).toEqual(['t1', 't1', 't1'])
    pass(79_000)
    expect(await source()).toBe('t1')
    pass(1_001)
    expect(await source()).toBe('t2')
    expect(calls).toHaveLength(2)
  })

  test('does not keep a token of which nobody says how long it lives', async () => {
    let made = 0
    const { source } = world(() => token(`t${++made}`))
    expect([await source(), await source()]).toEqual(['t1', 't2'])
  })

  test.each([400, 401, 403])('is refused for good by a %i, without telling the secret', async (status) => {
    const { source } = world(() => Response.json({ error: 'invalid_client' }, { status }))
    const error: unknown = await source().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'KAFKA_ACCESS_DENIED', retryable: false })
    expect(String(error)).toContain('invalid_client')
    expect(String(error)).not.toContain(client.clientSecret)
  })

  test.each([
    ['an overloaded endpoint', () => new Response('later', { status: 503 })],
    ['one that limits us', () => new Response('', { status: 429 })],
    ['a reply without a token', () => Response.json({})],
    ['a reply that is no JSON', () => new Response('<html>')],
    ['a reply that is no object', () => Response.json(null)],
    ['no connection', () => Promise.reject(new Error('connect ECONNREFUSED'))],
  ])('may be asked again after %s', async (_, reply) => {
    let first = true
    const { source } = world(() => {
      if (!first) return token('t', 100)
      first = false
      return reply()
    })
    await expect(source()).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true })
    expect(await source()).toBe('t')
  })
})
