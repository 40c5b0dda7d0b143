import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { defaultKafkaClient } from '../../../src/config/kafka-schema.ts'
import { loadConfig } from '../../../src/config/load.ts'

const stack = { KAFKA_BROKERS: 'a:1', SCHEMA_REGISTRY_URL: 'http://b:2/', REDIS_URL: 'redis://c:3' }

test('the environment goes before the running stack', async () => {
  const config = await loadConfig({
    env: { KAFKA_BROKERS: 'x:1, y:2' },
    stackAddresses: () => stack,
    servers: 'required',
  })
  expect(config.servers).toEqual({
    kafkaBrokers: ['x:1', 'y:2'],
    schemaRegistryUrl: 'http://b:2',
    redisUrl: 'redis://c:3',
    named: true,
  })
})

test('a command that needs servers names the addresses that are missing', async () => {
  await expect(
    loadConfig({ env: { REDIS_URL: 'redis://c:3' }, stackAddresses: () => null, servers: 'required' }),
  ).rejects.toThrow('no address for KAFKA_BROKERS, SCHEMA_REGISTRY_URL')
})

test('state stands under DRIFTLINE_HOME, by task', async () => {
  const config = await loadConfig({ env: { DRIFTLINE_HOME: '/var/lib/driftline' } })
  expect(config.paths.artefacts).toBe(resolve('/var/lib/driftline/artefacts', config.task.task))
})

test('the environment names the Kafka client before the task file does', async () => {
  expect((await loadConfig({ env: {} })).kafka).toEqual({
    client: defaultKafkaClient,
    compression: 'none',
    security: { tls: null, sasl: null },
  })
  expect((await loadConfig({ env: { DRIFTLINE_KAFKA_CLIENT: 'platformatic' } })).kafka.client).toBe('platformatic')
  expect((await loadConfig({ env: { DRIFTLINE_KAFKA_CLIENT: 'kafkajs' } })).kafka.client).toBe('kafkajs')
  await expect(loadConfig({ env: { DRIFTLINE_KAFKA_CLIENT: 'librdkafka' } })).rejects.toThrow(
    'DRIFTLINE_KAFKA_CLIENT is "librdkafka"; allowed: kafkajs, platformatic',
  )
})

test('no secret of a loaded configuration is shown', async () => {
  const env = {
    KAFKA_SECURITY_PROTOCOL: 'sasl_plaintext',
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: 'worker',
    KAFKA_SASL_PASSWORD: 'hidden-password',
  }
  const config = await loadConfig({ env })
  expect(config.kafka.security.sasl).toMatchObject({ password: 'hidden-password' })
  expect(JSON.stringify(config)).not.toContain('hidden-password')
})

test('a port that is none names its variable', async () => {
  await expect(loadConfig({ env: { DRIFTLINE_HTTP_PORT: '80a' } })).rejects.toThrow('DRIFTLINE_HTTP_PORT is "80a"')
})

test('a task file that is not there names itself', async () => {
  await expect(loadConfig({ env: {}, configPath: 'nowhere.yaml' })).rejects.toThrow('nowhere.yaml')
})

test('nothing of it can be changed', async () => {
  const config = await loadConfig({ env: {} })
  expect(() => Object.assign(config.task.drift, { alpha: 1 })).toThrow(TypeError)
})

test.each([
  ['KAFKA_BROKERS', ','],
  ['KAFKA_BROKERS', '127.0.0.1'],
  ['SCHEMA_REGISTRY_URL', 'registry:8081'],
  ['REDIS_URL', 'nonsense'],
])('an address that is none names its variable: %s=%s', async (name, value) => {
  await expect(loadConfig({ env: { [name]: value } })).rejects.toThrow(name)
})
