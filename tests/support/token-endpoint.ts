import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const client = { clientId: 'driftline', clientSecret: 'a:secret &c' } as const

/** Gives unsigned tokens by client credentials, as a broker without a key takes them. */
export type TokenEndpoint = {
  readonly url: string
  /** Who may ask. */
  readonly client: { readonly clientId: string; readonly clientSecret: string }
  /** What was asked for, in the order of the requests. */
  readonly requests: readonly { readonly grantType: string | null; readonly scope: string | null }[]
  /** How long its next tokens live. */
  lifetimeMs: number
  readonly close: () => Promise<void>
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An unsecured JWS (RFC 7515, appendix A.5). */
export const unsignedToken = (lifetimeMs: number): string => {
  const now = Date.now()
  const claims = { sub: 'alice', iat: now / 1000, exp: (now + lifetimeMs) / 1000 }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

export const createTokenEndpoint = async (): Promise<TokenEndpoint> => {
  const requests: { grantType: string | null; scope: string | null }[] = []
  const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
  const expected = `Basic ${Buffer.from(`${encoded(client.clientId)}:${encoded(client.clientSecret)}`).toString('base64')}`
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const form = new URLSearchParams(body)
      requests.push({ grantType: form.get('grant_type'), scope: form.get('scope') })
      const known = request.headers.authorization === expected
      const { lifetimeMs } = endpoint
      const answer = known
        ? { access_token: unsignedToken(lifetimeMs), token_type: 'Bearer', expires_in: lifetimeMs / 1000 }
        : { error: 'invalid_client' }
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint: TokenEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    client,
    requests,
    lifetimeMs: 60_000,
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
  return endpoint
}
