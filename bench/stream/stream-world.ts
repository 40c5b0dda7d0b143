import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { stringify } from 'yaml'
import { resolveArtefacts } from '../../dev/stack/artefacts.ts'
import { stackUp } from '../../dev/stack/stack.ts'
import { openKafka } from '../../src/cli/roles/kafka-parts.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { csvOf, enlargedIris } from '../models/enlarged-iris.ts'

export const PARTITIONS = 4
export const TASK = 'bench'

const root = fileURLToPath(new URL('../../', import.meta.url))
const driftline = join(root, 'bin', 'driftline.js')
const FILL_RECORDS = 2000

/** A process that works until it is told to stop. */
export type Worker = {
  readonly child: ChildProcess
  /** Resolves when it says that it is ready, with the rest of that line. */
  readonly ready: Promise<string>
  /** Asks it to stop and waits for its end. */
  readonly stop: () => Promise<void>
}

/** The task: four numbers, three classes, a forest of 100 trees of depth 10 trained on 3,998 rows. */
const taskText = (dataset: string, stream: Record<string, unknown>): string =>
  stringify({
    task: TASK,
    features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => ({ name, type: 'double' })),
    target: { name: 'species', classes: ['setosa', 'versicolor', 'virginica'] },
    dataset: { path: dataset, testFraction: 0.2 },
    training: {
      folds: 2,
      candidates: [{ name: 'forest', family: 'forest', engine: 'histogram', parameters: { trees: 100, maxDepth: 10 } }],
    },
    stream: { partitions: PARTITIONS, ...stream },
  })

const startWorker = (command: string, args: readonly string[], env: NodeJS.ProcessEnv, readyMark: RegExp): Worker => {
  const child = spawn(command, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const ready = Promise.withResolvers<string>()
  ready.promise.catch(() => undefined)
  const lines: string[] = []
  const heard = (line: string): void => {
    lines.push(line)
    if (lines.length > 40) lines.shift()
    if (readyMark.test(line)) ready.resolve(line)
  }
  createInterface({ input: child.stdout }).on('line', heard)
  createInterface({ input: child.stderr }).on('line', heard)
  const ended = new Promise<void>((done) => {
    child.once('close', (code) => {
      ready.reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${lines.join('\n')}`))
      done()
    })
  })
  return {
    child,
    ready: ready.promise,
    stop: async () => {
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(kill)
    },
  }
}

/** Servers, a trained model and topics of their own for the measures of the stream, and what they are measured with. */
export const openStreamWorld = async (options: {
  readonly say: (progress: string) => void
  /** Changes of the task's section `stream`. */
  readonly stream?: Record<string, unknown>
}) => {
  const { say } = options
  const shared = join(root, '.driftline')
  await resolveArtefacts({ home: shared, env: process.env, onProgress: say })
  const home = mkdtempSync(join(tmpdir(), 'driftline-bench-'))
  mkdirSync(home, { recursive: true })
  symlinkSync(join(shared, 'servers'), join(home, 'servers'))
  const stack = await stackUp({ home, env: { ...process.env }, owned: true, ports: 'free', onProgress: say })
  const dataset = join(home, 'enlarged.csv')
  writeFileSync(dataset, csvOf(enlargedIris().train))
  const taskFile = join(home, 'bench.yaml')
  writeFileSync(taskFile, taskText(dataset, options.stream ?? {}))
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...stack.addresses,
    DRIFTLINE_HOME: home,
    DRIFTLINE_CONFIG: taskFile,
    DRIFTLINE_METRICS_PORT: '0',
    DRIFTLINE_LOG_LEVEL: 'warn',
  }

  /** Runs one command to its end and returns the last line of its output. */
  const command = async (...args: string[]): Promise<string> => {
    const child = spawn(process.execPath, [driftline, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const code = await new Promise<number | null>((done) => child.once('close', done))
    if (code !== 0) throw new Error(`driftline ${args.join(' ')} ended with ${code}`)
    return output.trimEnd().split('\n').at(-1) ?? ''
  }
  say('training the forest')
  await command('train', '--promote')

  const config = await loadConfig({ env, configPath: taskFile, servers: 'required' })
  const logger = createLogger({ name: 'bench', level: 'error', instanceId: 'bench' })
  const kafka = await openKafka(config, 'bench', logger)
  const raw = new Kafka({
    brokers: [...config.servers.kafkaBrokers],
    clientId: 'bench-admin',
    logLevel: logLevel.NOTHING,
  })
  const admin = raw.admin()
  await admin.connect()
  let filled = 0

  return {
    home,
    env,
    config,
    kafka,
    addresses: stack.addresses,
    topics: kafka.topics,
    command,

    /** Adds events to the end of the features topic, in turn to each partition. @returns how many there are now */
    fill: async (events: number): Promise<number> => {
      const producer = await kafka.client.producer()
      const { train } = enlargedIris()
      const names = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width']
      const until = filled + events
      for (; filled < until; filled += FILL_RECORDS) {
        await producer.send(
          Array.from({ length: Math.min(FILL_RECORDS, until - filled) }, (_, i) => {
            const n = filled + i
            const row = (n % train.rows) * names.length
            const id = `event-${String(n).padStart(8, '0')}`
            const values = Object.fromEntries(names.map((name, column) => [name, train.features[row + column]!]))
            return {
              topic: kafka.topics.features.name,
              partition: n % PARTITIONS,
              key: Buffer.from(id),
              value: kafka.codecs.features.encode({ event_id: id, event_time: Date.now(), ...values }),
            }
          }),
        )
      }
      filled = until
      await producer.close()
      return filled
    },

    /** A scoring worker of ours, or several. */
    score: (client: string, workers = 1): Worker =>
      startWorker(
        process.execPath,
        [driftline, 'run', 'score', '--config', taskFile, ...(workers > 1 ? ['--workers', String(workers)] : [])],
        { ...env, DRIFTLINE_KAFKA_CLIENT: client },
        /score is running/,
      ),

    /** Another program that works on the same servers. It says `ready` once it is. */
    program: (executable: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Worker =>
      startWorker(executable, args, { ...env, ...more }, /^ready/),

    /** Makes a topic anew: what was in it is gone. */
    renew: async (topic: string): Promise<void> => {
      await admin.deleteTopics({ topics: [topic] }).catch(() => undefined)
      await kafka.admin.ensureTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 1 }])
    },

    /** Forgets where a group is; it must have no members. */
    forget: async (group: string): Promise<void> => {
      await admin.deleteGroups([group]).catch(() => undefined)
    },

    close: async (): Promise<void> => {
      await admin.disconnect()
      await kafka.admin.close()
      await stack.stop()
      rmSync(resolve(home), { recursive: true, force: true })
    },
  }
}

export type StreamWorld = Awaited<ReturnType<typeof openStreamWorld>>
