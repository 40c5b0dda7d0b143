import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readKafkaSecurity } from '../../../src/config/kafka-security.ts'

let folder: string
const file = (name: string): string => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftline-security-'))
  for (const name of ['one', 'two']) {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
      ],
      { stdio: 'ignore' },
    )
  }
  writeFileSync(file('nonsense.pem'), 'not a certificate')
})
afterAll(() => rmSync(folder, { recursive: true }))

const scram = {
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_SASL_USERNAME: 'worker',
  KAFKA_SASL_PASSWORD: 'hidden-password',
}
const oauth = {
  KAFKA_SECURITY_PROTOCOL: 'sasl_plaintext',
  KAFKA_SASL_MECHANISM: 'oauthbearer',
  KAFKA_OAUTH_TOKEN_URL: 'https://id.example/token/',
  KAFKA_OAUTH_CLIENT_ID: 'worker',
  KAFKA_OAUTH_CLIENT_SECRET: 'hidden-secret',
}

describe('what the environment says', () => {
  test('nothing is in the clear and without a name', async () => {
    expect(await readKafkaSecurity({})).toEqual({ tls: null, sasl: null })
    // An empty variable is one that is not set: Compose hands them on like that.
    expect(await readKafkaSecurity({ KAFKA_SECURITY_PROTOCOL: '', KAFKA_SASL_PASSWORD: '' })).toEqual({
      tls: null,
      sasl: null,
    })
  })

  test('TLS with the authorities of Node, or with its own files', async () => {
    expect(await readKafkaSecurity({ KAFKA_SECURITY_PROTOCOL: 'SSL' })).toEqual({ tls: {}, sasl: null })
    const { tls } = await readKafkaSecurity({
      KAFKA_SECURITY_PROTOCOL: 'ssl',
      KAFKA_SSL_CA_FILE: file('two.crt'),
      KAFKA_SSL_CERT_FILE: file('one.crt'),
      KAFKA_SSL_KEY_FILE: file('one.key'),
    })
    expect(tls).toEqual({
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('PRIVATE KEY'),
    })
    expect(tls?.ca).not.toBe(tls?.cert)
  })

  test("names and passwords, in the spelling of Java's files", async () => {
    expect(await readKafkaSecurity(scram)).toEqual({
      tls: {},
      sasl: { mechanism: 'scram-sha-512', username: 'worker', password: 'hidden-password' },
    })
  })

  test('tokens', async () => {
    const sasl = {
      mechanism: 'oauthbearer',
      tokenUrl: 'https://id.example/token/',
      clientId: 'worker',
      clientSecret: 'hidden-secret',
    }
    expect((await readKafkaSecurity(oauth)).sasl).toEqual(sasl)
    expect((await readKafkaSecurity({ ...oauth, KAFKA_OAUTH_SCOPE: 'kafka' })).sasl).toEqual({
      ...sasl,
      scope: 'kafka',
    })
  })
})

describe('what makes no sense names its variable', () => {
  test.each([
    ['KAFKA_SECURITY_PROTOCOL', { KAFKA_SECURITY_PROTOCOL: 'tls' }, 'allowed: plaintext, ssl'],
    ['KAFKA_SASL_MECHANISM', { KAFKA_SECURITY_PROTOCOL: 'sasl_ssl' }, 'needs one of plain'],
    ['KAFKA_SASL_MECHANISM', { ...scram, KAFKA_SASL_MECHANISM: 'gssapi' }, 'allowed: plain'],
    ['KAFKA_SASL_USERNAME', { ...scram, KAFKA_SASL_USERNAME: undefined }, 'is not set'],
    ['KAFKA_SASL_PASSWORD', { ...scram, KAFKA_SASL_PASSWORD: '' }, 'is not set'],
    ['KAFKA_OAUTH_CLIENT_ID', { ...scram, KAFKA_OAUTH_CLIENT_ID: 'x' }, 'has no effect'],
    ['KAFKA_SASL_PASSWORD', { ...oauth, KAFKA_SASL_PASSWORD: 'hidden-password' }, 'has no effect'],
    ['KAFKA_OAUTH_TOKEN_URL', { ...oauth, KAFKA_OAUTH_TOKEN_URL: undefined }, 'is not set'],
    ['KAFKA_OAUTH_TOKEN_URL', { ...oauth, KAFKA_OAUTH_TOKEN_URL: 'id.example' }, 'has to be a URL'],
    ['KAFKA_OAUTH_CLIENT_SECRET', { ...oauth, KAFKA_OAUTH_CLIENT_SECRET: undefined }, 'is not set'],
    ['KAFKA_SASL_PASSWORD', { KAFKA_SASL_PASSWORD: 'hidden-password' }, 'KAFKA_SECURITY_PROTOCOL is not set'],
    ['KAFKA_SASL_MECHANISM', { ...scram, KAFKA_SECURITY_PROTOCOL: 'ssl' }, 'KAFKA_SECURITY_PROTOCOL is ssl'],
    ['KAFKA_SSL_CA_FILE', { ...oauth, KAFKA_SSL_CA_FILE: 'ca.pem' }, 'KAFKA_SECURITY_PROTOCOL is sasl_plaintext'],
  ])('%s %o', async (name, env, says) => {
    const read = readKafkaSecurity(env)
    await expect(read).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`^${name} .*${says}`)),
    })
    await expect(read).rejects.not.toThrow('hidden')
  })

  test.each([
    ['KAFKA_SSL_CA_FILE', { KAFKA_SSL_CA_FILE: 'nowhere.pem' }, 'cannot be read'],
    ['KAFKA_SSL_CA_FILE', { KAFKA_SSL_CA_FILE: 'nonsense.pem' }, 'cannot be used'],
    ['KAFKA_SSL_KEY_FILE', { KAFKA_SSL_CERT_FILE: 'one.crt' }, 'is not set'],
    ['KAFKA_SSL_KEY_FILE', { KAFKA_SSL_KEY_FILE: 'one.key' }, 'has no effect'],
    ['KAFKA_SSL_KEY_FILE', { KAFKA_SSL_CERT_FILE: 'one.crt', KAFKA_SSL_KEY_FILE: 'two.key' }, 'cannot be used'],
  ])('%s %o', async (name, files, says) => {
    const paths = Object.fromEntries(Object.entries(files).map(([variable, path]) => [variable, file(path)]))
    await expect(readKafkaSecurity({ KAFKA_SECURITY_PROTOCOL: 'ssl', ...paths })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`^${name} .*${says}`)),
    })
  })
})

test('shows no secret in JSON or in a log', async () => {
  for (const env of [scram, oauth]) {
    const security = await readKafkaSecurity(env)
    const shown = `${JSON.stringify({ security })} ${inspect({ security }, { depth: 9 })}`
    expect(shown).not.toContain('hidden')
    expect(shown).toContain(security.sasl?.mechanism)
  }
})
