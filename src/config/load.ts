import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { ConfigInvalid } from '../errors.ts'
import type { Config, ServerAddresses } from './config.ts'
import { defaultTaskFile } from './default-task-file.ts'
import { environmentReader, readBrokers, readUrl } from './environment.ts'
import { kafkaClientNames } from './kafka-schema.ts'
import { readKafkaSecurity } from './kafka-security.ts'
import { validateTaskText } from './validate-task.ts'

/** The addresses of the local stack, as far as it runs; the names are those of the environment. */
export type StackAddresses = { KAFKA_BROKERS: string; SCHEMA_REGISTRY_URL: string; REDIS_URL: string }

export type LoadOptions = {
  /** The task file; else DRIFTLINE_CONFIG, else the bundled example. Relative to the working directory. */
  configPath?: string
  /** The bundled example where the working directory has none: an installed package is used from anywhere. */
  fallbackPath?: string
  env?: NodeJS.ProcessEnv
  /** Addresses that the environment does not name: those of the running local stack. */
  stackAddresses?: (home: string) => Partial<StackAddresses> | null
  /** `none`: a command that talks to no server; addresses that are not known stay at the defaults. */
  servers?: 'none' | 'required'
}

/** The variables of the process: read here and nowhere else. */
export const processEnvironment = (): NodeJS.ProcessEnv => process.env

/** Where this checkout keeps its state: DRIFTLINE_HOME, else `.driftline` in the working directory. */
export const homeOf = (env: NodeJS.ProcessEnv = process.env): string => resolve(env['DRIFTLINE_HOME'] || '.driftline')

const defaults: StackAddresses = {
  KAFKA_BROKERS: '127.0.0.1:9092',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/apis/ccompat/v7',
  REDIS_URL: 'redis://127.0.0.1:6379',
}

const resolveServers = (env: NodeJS.ProcessEnv, home: string, options: LoadOptions): ServerAddresses => {
  const stack = options.stackAddresses?.(home) ?? {}
  const missing: string[] = []
  const address = (name: keyof StackAddresses): string => {
    const value = env[name] || stack[name]
    if (value === undefined) missing.push(name)
    return value ?? defaults[name]
  }
  const servers: ServerAddresses = {
    kafkaBrokers: readBrokers(address('KAFKA_BROKERS')),
    schemaRegistryUrl: readUrl('SCHEMA_REGISTRY_URL', address('SCHEMA_REGISTRY_URL'), ['http:', 'https:']),
    redisUrl: readUrl('REDIS_URL', address('REDIS_URL'), ['redis:', 'rediss:']),
    named: false,
  }
  if (options.servers === 'required' && missing.length > 0) {
    throw new ConfigInvalid(
      `no address for ${missing.join(', ')}: start the local servers with "driftline stack up", or name yours in the environment`,
    )
  }
  return { ...servers, named: missing.length === 0 }
}

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

/**
 * Reads the task file and the environment into one frozen Config.
 * @throws ConfigInvalid naming the file and line, or the variable, that is wrong
 */
export const loadConfig = async (options: LoadOptions = {}): Promise<Config> => {
  const env = options.env ?? process.env
  const read = environmentReader(env)
  const named = options.configPath ?? (env['DRIFTLINE_CONFIG'] || undefined)
  const shownFile = named ?? (existsSync(defaultTaskFile) ? defaultTaskFile : (options.fallbackPath ?? defaultTaskFile))
  const taskFile = resolve(shownFile)
  const text = await readFile(taskFile, 'utf8').catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read the task file ${shownFile}: name one with --config or DRIFTLINE_CONFIG`, {
      cause,
    })
  })
  const task = validateTaskText(text, shownFile)
  const home = homeOf(env)
  return deepFreeze({
    task,
    taskFile,
    datasetFile: resolve(dirname(taskFile), task.dataset.path),
    servers: resolveServers(env, home, options),
    kafka: {
      client: read.oneOf('DRIFTLINE_KAFKA_CLIENT', kafkaClientNames, task.kafka.client),
      compression: task.kafka.compression,
      security: await readKafkaSecurity(env),
    },
    paths: {
      home,
      artefacts: resolve(home, 'artefacts', task.task),
      history: resolve(home, 'history', `${task.task}.sqlite`),
      schemaCache: resolve(home, 'schemas'),
    },
    http: {
      host: env['DRIFTLINE_HTTP_HOST'] || '127.0.0.1',
      ingressPort: read.port('DRIFTLINE_HTTP_PORT'),
      rolePort: read.port('DRIFTLINE_METRICS_PORT'),
    },
    logLevel: read.oneOf('DRIFTLINE_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
    instanceId: env['DRIFTLINE_INSTANCE_ID'] || `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
  })
}
