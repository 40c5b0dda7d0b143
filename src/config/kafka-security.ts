import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { inspect } from 'node:util'
import { ConfigInvalid, describeError } from '../errors.ts'
import { readUrl } from './environment.ts'

/** PEM texts. Without `ca` the authorities that Node trusts; `cert` and `key` only where the broker asks for them. */
export type KafkaTls = { readonly ca?: string; readonly cert?: string; readonly key?: string }

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Where a token is had by client credentials (RFC 6749, section 4.4). */
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret: string
      readonly scope?: string
    }

/** How the brokers are spoken to. It holds secrets, and shows none of them in JSON or in a log. */
export type KafkaSecurity = { readonly tls: KafkaTls | null; readonly sasl: KafkaSasl | null }

/** In the clear and without a name: a broker on this machine, or in a network of its own. */
export const plaintext: KafkaSecurity = Object.freeze({ tls: null, sasl: null })

const PROTOCOLS = ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'] as const
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const

const SSL_NAMES = ['KAFKA_SSL_CA_FILE', 'KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE']
const PASSWORD_NAMES = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']
const OAUTH_NAMES = ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET', 'KAFKA_OAUTH_SCOPE']

/** What is shown of a value with secrets: that there is TLS, and which mechanism. */
const withoutSecrets = (security: KafkaSecurity): KafkaSecurity => {
  const shown = (): object => ({ tls: security.tls !== null, sasl: security.sasl?.mechanism ?? null })
  return Object.defineProperties(security, { toJSON: { value: shown }, [inspect.custom]: { value: shown } })
}

/** Java's names, in capitals or not: they are copied from its configuration files. */
const oneOf = <T extends string>(env: NodeJS.ProcessEnv, name: string, allowed: readonly T[]): T | undefined => {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const found = allowed.find((value) => value === text.toLowerCase())
  if (found === undefined) throw new ConfigInvalid(`${name} is "${text}"; allowed: ${allowed.join(', ')}`)
  return found
}

/** A setting without an effect is a mistake: whoever made it believes in protection that is not there. */
const refuseUnused = (env: NodeJS.ProcessEnv, names: readonly string[], reason: string): void => {
  const set = names.find((name) => env[name])
  if (set !== undefined) throw new ConfigInvalid(`${set} is set and has no effect: ${reason}`)
}

const required = (env: NodeJS.ProcessEnv, name: string, reason: string): string => {
  const value = env[name]
  if (!value) throw new ConfigInvalid(`${name} is not set; ${reason}`)
  return value
}

/** The text of a PEM file that a variable names, or undefined where it names none. */
const pemOf = async (
  env: NodeJS.ProcessEnv,
  name: string,
  check: (pem: string) => unknown,
): Promise<string | undefined> => {
  const path = env[name]
  if (!path) return undefined
  const pem = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigInvalid(`${name} is "${path}", which cannot be read: ${describeError(cause)}`, { cause })
  })
  try {
    check(pem)
  } catch (cause) {
    throw new ConfigInvalid(`${name} is "${path}", which cannot be used: ${describeError(cause)}`, { cause })
  }
  return pem
}

const readTls = async (env: NodeJS.ProcessEnv): Promise<KafkaTls> => {
  const ca = await pemOf(env, 'KAFKA_SSL_CA_FILE', (pem) => new X509Certificate(pem))
  const cert = await pemOf(env, 'KAFKA_SSL_CERT_FILE', (pem) => new X509Certificate(pem))
  if (cert === undefined) {
    refuseUnused(env, ['KAFKA_SSL_KEY_FILE'], 'name the certificate of this key in KAFKA_SSL_CERT_FILE')
    return ca === undefined ? {} : { ca }
  }
  required(env, 'KAFKA_SSL_KEY_FILE', 'the certificate in KAFKA_SSL_CERT_FILE needs its private key')
  // With the certificate, so that a key that does not belong to it is found here and not by the broker.
  const key = await pemOf(env, 'KAFKA_SSL_KEY_FILE', (pem) => createSecureContext({ cert, key: pem }))
  return { ...(ca === undefined ? {} : { ca }), cert, ...(key === undefined ? {} : { key }) }
}

const readSasl = (env: NodeJS.ProcessEnv, protocol: string): KafkaSasl => {
  const mechanism = oneOf(env, 'KAFKA_SASL_MECHANISM', MECHANISMS)
  if (mechanism === undefined) {
    throw new ConfigInvalid(
      `KAFKA_SASL_MECHANISM is not set; KAFKA_SECURITY_PROTOCOL=${protocol} needs one of ${MECHANISMS.join(', ')}`,
    )
  }
  const reason = `KAFKA_SASL_MECHANISM=${mechanism} needs it`
  if (mechanism !== 'oauthbearer') {
    refuseUnused(env, OAUTH_NAMES, `KAFKA_SASL_MECHANISM is ${mechanism}`)
    const username = required(env, 'KAFKA_SASL_USERNAME', reason)
    return { mechanism, username, password: required(env, 'KAFKA_SASL_PASSWORD', reason) }
  }
  refuseUnused(env, PASSWORD_NAMES, 'KAFKA_SASL_MECHANISM is oauthbearer')
  const tokenUrl = required(env, 'KAFKA_OAUTH_TOKEN_URL', reason)
  readUrl('KAFKA_OAUTH_TOKEN_URL', tokenUrl, ['http:', 'https:'])
  const scope = env['KAFKA_OAUTH_SCOPE']
  return {
    mechanism,
    tokenUrl,
    clientId: required(env, 'KAFKA_OAUTH_CLIENT_ID', reason),
    clientSecret: required(env, 'KAFKA_OAUTH_CLIENT_SECRET', reason),
    ...(scope ? { scope } : {}),
  }
}

/**
 * How the environment says that the brokers are spoken to; without a word of it in the clear and without a name.
 * Files are read here, once.
 * @throws ConfigInvalid naming the variable
 */
export const readKafkaSecurity = async (env: NodeJS.ProcessEnv): Promise<KafkaSecurity> => {
  const protocol = oneOf(env, 'KAFKA_SECURITY_PROTOCOL', PROTOCOLS) ?? 'plaintext'
  const encrypted = protocol.endsWith('ssl')
  const authenticated = protocol.startsWith('sasl')
  const reason = `KAFKA_SECURITY_PROTOCOL is ${env['KAFKA_SECURITY_PROTOCOL'] ? protocol : 'not set, which is plaintext'}`
  if (!encrypted) refuseUnused(env, SSL_NAMES, reason)
  if (!authenticated) refuseUnused(env, ['KAFKA_SASL_MECHANISM', ...PASSWORD_NAMES, ...OAUTH_NAMES], reason)
  return withoutSecrets({
    tls: encrypted ? await readTls(env) : null,
    sasl: authenticated ? readSasl(env, protocol) : null,
  })
}
