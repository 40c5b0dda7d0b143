import { join } from 'node:path'
import { loopback } from './ports.ts'

/** What to start, and where. The working folder holds the server's data, so that no path needs quoting. */
export type ServerCommand = { readonly command: string; readonly args: readonly string[]; readonly folder: string }

const confluentApiPath = '/apis/ccompat/v7'

/** The address by which clients know a server on this port of the loopback address. */
export const serverAddress = {
  kafka: (port: number): string => `${loopback}:${port}`,
  registry: (port: number): string => `http://${loopback}:${port}${confluentApiPath}`,
  redis: (port: number): string => `redis://${loopback}:${port}`,
}

export const defaultPorts = { kafka: 9092, registry: 8081, redis: 6379 } as const

/** The folder below Kafka's own that holds its log; named in its properties, relative to where it runs. */
export const kafkaLogFolder = 'log'
export const kafkaPropertiesFile = 'server.properties'

/** One broker that is its own controller (KRaft), reachable from this machine only. */
export const kafkaProperties = (ports: { broker: number; controller: number }): string =>
  `${[
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${loopback}:${ports.controller}`,
    `listeners=PLAINTEXT://${loopback}:${ports.broker},CONTROLLER://${loopback}:${ports.controller}`,
    `advertised.listeners=PLAINTEXT://${loopback}:${ports.broker}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${kafkaLogFolder}`,
    'auto.create.topics.enable=false',
    // There is one broker to hold every replica.
    'default.replication.factor=1',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    // 50 partitions each by default, which take seconds to create on the first commit.
    'offsets.topic.num.partitions=8',
    'transaction.state.log.num.partitions=8',
    // Nobody else is about to join; and crashed workers shall be noticed soon.
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
  ].join('\n')}\n`

// Warnings and errors to standard error, with their time; Kafka has no logging of its own.
const javaLogging = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
]

/** A class path of all jars of a folder; Java itself expands the star. */
export const jarsOf = (folder: string): string => join(folder, '*')

export const kafkaFormatCommand = (java: string, jars: string, folder: string, clusterId: string): ServerCommand => ({
  command: java,
  args: [
    ...['-Xmx256m', ...javaLogging, '-cp', jarsOf(jars), 'kafka.tools.StorageTool'],
    ...['format', '--cluster-id', clusterId, '--config', kafkaPropertiesFile],
  ],
  folder,
})

export const kafkaCommand = (java: string, jars: string, folder: string): ServerCommand => ({
  command: java,
  // As Kafka's own start script has it. A heap that starts small stays small, and stops for its young part every second.
  args: ['-Xmx1g', '-Xms1g', ...javaLogging, '-cp', jarsOf(jars), 'kafka.Kafka', kafkaPropertiesFile],
  folder,
})

/** @param runner the registry's runnable jar */
export const registryCommand = (java: string, runner: string, folder: string, port: number): ServerCommand => ({
  command: java,
  args: [
    '-Xmx256m',
    // It serves a few requests a minute: starting fast and staying small is worth more than peak speed.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dquarkus.http.host=${loopback}`,
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.http.access-log.enabled=false',
    // A file, because Kafka's records outlive a restart and name schemas by id. Every registration is written
    // at once: an id that was handed out must not be handed out again after a crash.
    '-Dapicurio.storage.kind=sql',
    '-Dapicurio.storage.sql.kind=h2',
    '-Dapicurio.datasource.url=jdbc:h2:file:./schemas;WRITE_DELAY=0',
    '-Dapicurio.datasource.jdbc.initial-size=2',
    '-Dapicurio.datasource.jdbc.min-size=2',
    '-Djava.io.tmpdir=tmp',
    '-jar',
    runner,
  ],
  folder,
})

/** Keeps what it is told across restarts, and refuses writes rather than forget queued jobs when memory is short. */
export const redisCommand = (binary: string, folder: string, port: number): ServerCommand => ({
  command: binary,
  args: [
    ...['--port', String(port), '--bind', loopback, '--dir', '.', '--daemonize', 'no'],
    ...['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
  ],
  folder,
})

/** The name under which the Redis artefact holds the binary of this platform, as a pattern; null if it has none. */
export const redisBinaryPattern = (platform: string, arch: string): RegExp | null => {
  const system = platform === 'linux' || platform === 'darwin' ? platform : null
  const processor = arch === 'x64' ? 'amd64' : arch === 'arm64' ? 'arm64' : null
  return system === null || processor === null ? null : new RegExp(`^redis-server-.*-${system}-${processor}$`)
}
