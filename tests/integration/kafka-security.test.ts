import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaClientNames } from '../../src/config/kafka-schema.ts'
import type { KafkaSasl, KafkaSecurity, KafkaTls } from '../../src/config/kafka-security.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaClient } from '../../src/kafka/kafka-types.ts'
import { createTestAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/kafka.ts'
import { createSecureBroker, credentials, type SecureBroker } from '../support/secure-broker.ts'
import { testLogger } from '../support/test-logger.ts'
import { createTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'

let broker: SecureBroker
let tokens: TokenEndpoint

beforeAll(async () => {
  ;[broker, tokens] = await Promise.all([createSecureBroker(), createTokenEndpoint()])
})
afterAll(async () => {
  await Promise.all([broker?.close(), tokens?.close()])
})

const withPassword = (mechanism: Exclude<KafkaSasl['mechanism'], 'oauthbearer'>, password?: string): KafkaSasl => ({
  mechanism,
  username: credentials.username,
  password: password ?? credentials.password,
})
const withTokens = (): KafkaSasl => ({
  mechanism: 'oauthbearer',
  tokenUrl: tokens.url,
  ...tokens.client,
  scope: 'kafka',
})
const trusting = (): KafkaTls => ({ ca: broker.authority.ca })

/** Makes a topic, writes a record to it, and says where it went. */
const writeOne = async (client: KafkaClient): Promise<bigint | null | undefined> => {
  const topic = uniqueName('secured')
  const admin = await client.admin()
  try {
    await admin.ensureTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
    const producer = await client.producer()
    try {
      const [place] = await producer.send([{ topic, partition: 0, key: null, value: Buffer.from('x') }])
      return place?.offset
    } finally {
      await producer.close()
    }
  } finally {
    await admin.close()
  }
}

describe.each(kafkaClientNames)('%s', (name) => {
  const open = (address: string, security: KafkaSecurity): Promise<KafkaClient> =>
    createKafkaClient(name, { brokers: [address], clientId: 'secured', logger: testLogger(), security })

  const refused = async (address: string, security: KafkaSecurity): Promise<Error> => {
    const client = await open(address, security)
    const error: unknown = await client.admin().then(
      async (admin) => {
        await admin.close()
        return undefined
      },
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'KAFKA_ACCESS_DENIED', retryable: false })
    return error as Error
  }

  test('speaks TLS to a broker whose authority it was told', async () => {
    expect(await writeOne(await open(broker.addresses.tls, { tls: trusting(), sasl: null }))).toBe(0n)
    // By name and by address.
    const byName = broker.addresses.tls.replace('127.0.0.1', 'localhost')
    expect(await writeOne(await open(byName, { tls: trusting(), sasl: null }))).toBe(0n)
  })

  test('shows its certificate to a broker that asks for it', async () => {
    const own = broker.authority.issue('worker')
    expect(await writeOne(await open(broker.addresses.mutual, { tls: { ...trusting(), ...own }, sasl: null }))).toBe(0n)
  })

  test('says that the broker wants a certificate', async () => {
    const { message } = await refused(broker.addresses.mutual, { tls: trusting(), sasl: null })
    expect(message).toContain('KAFKA_SSL_CERT_FILE')
  })

  test('does not speak to a broker whose certificate nobody vouches for', async () => {
    const { message } = await refused(broker.addresses.tls, { tls: { ca: createTestAuthority().ca }, sasl: null })
    expect(message).toContain('KAFKA_SSL_CA_FILE')
  })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('logs in with %s', async (mechanism) => {
    const sasl = withPassword(mechanism)
    expect(await writeOne(await open(broker.addresses.sasl, { tls: null, sasl }))).toBe(0n)
    expect(await writeOne(await open(broker.addresses.saslTls, { tls: trusting(), sasl }))).toBe(0n)
  })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('says that a password for %s is wrong', async (m) => {
    const { message } = await refused(broker.addresses.sasl, { tls: null, sasl: withPassword(m, 'not the password') })
    expect(message).toContain('KAFKA_SASL_PASSWORD')
    expect(message).not.toContain('not the password')
  })

  test('logs in with a token that it fetched', async () => {
    const before = tokens.requests.length
    expect(await writeOne(await open(broker.addresses.saslTls, { tls: trusting(), sasl: withTokens() }))).toBe(0n)
    const asked = tokens.requests.slice(before)
    // One token serves many connections.
    expect(asked).toEqual([{ grantType: 'client_credentials', scope: 'kafka' }])
  })

  test('says that the token endpoint does not know it', async () => {
    const sasl = { ...withTokens(), clientSecret: 'of somebody else' } as KafkaSasl
    const { message } = await refused(broker.addresses.sasl, { tls: null, sasl })
    expect(message).toContain('KAFKA_OAUTH_CLIENT_SECRET')
    expect(message).not.toContain('of somebody else')
  })

  // kafkajs takes the refusal for a success, and meets a closed connection later.
  test.runIf(name === 'platformatic')('says that the broker refused a token', async () => {
    const live = tokens.lifetimeMs
    tokens.lifetimeMs = -60_000
    try {
      await refused(broker.addresses.sasl, { tls: null, sasl: withTokens() })
    } finally {
      tokens.lifetimeMs = live
    }
  })

  test('comes back when the token endpoint does', async () => {
    const away = await createTokenEndpoint()
    await away.close()
    const sasl = { ...withTokens(), tokenUrl: away.url } as KafkaSasl
    const client = await open(broker.addresses.sasl, { tls: null, sasl })
    await expect(client.admin()).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true })
  })

  // kafkajs authenticates anew when ten seconds are left: tokens must live for a minute with it.
  test.runIf(name === 'platformatic')('goes on with a new token before the old one ends', async () => {
    const live = tokens.lifetimeMs
    tokens.lifetimeMs = 1500
    const before = tokens.requests.length
    const client = await open(broker.addresses.saslTls, { tls: trusting(), sasl: withTokens() })
    const topic = uniqueName('secured')
    const admin = await client.admin()
    const producer = await client.producer()
    try {
      await admin.ensureTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
      const offsets: (bigint | null | undefined)[] = []
      await eventually(
        async () => {
          const [place] = await producer.send([{ topic, partition: 0, key: null, value: Buffer.from('x') }])
          offsets.push(place?.offset)
          expect(tokens.requests.length - before).toBeGreaterThanOrEqual(4)
        },
        { timeoutMs: 20_000, everyMs: 20 },
      )
      // None failed, none was lost, none came twice.
      expect(offsets).toEqual(offsets.map((_, i) => BigInt(i)))
    } finally {
      tokens.lifetimeMs = live
      await producer.close()
      await admin.close()
    }
  })

  test('consumes and writes transactions behind TLS and SASL', async () => {
    const security = { tls: trusting(), sasl: withPassword('scram-sha-512') }
    const client = await open(broker.addresses.saslTls, security)
    const admin = await client.admin()
    const producer = await client.producer()
    const [topic, output, group] = [uniqueName('in'), uniqueName('out'), uniqueName('group')]
    try {
      await admin.ensureTopics([topic, output].map((name) => ({ name, partitions: 1, replicationFactor: 1 })))
      await producer.send([{ topic, partition: 0, key: null, value: Buffer.from('x') }])
      const consumer = await client.runExactlyOnce({
        ...{ group, topic, batchMaxRecords: 10, batchGoalMs: 50, sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 },
        process: (_batch, sink) => sink.add({ topic: output, partition: 0, key: null, value: Buffer.from('y') }),
      })
      await eventually(async () => expect(await admin.consumerLag(group, topic)).toEqual(new Map([[0, 0n]])))
      await consumer.stop()
      // The record and the marker of its transaction.
      expect((await admin.offsetRanges(output)).get(0)).toEqual({ from: 0n, to: 2n })
    } finally {
      await producer.close()
      await admin.close()
    }
  })
})
