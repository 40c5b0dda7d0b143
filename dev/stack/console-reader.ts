import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { AppError } from '../../src/errors.ts'
import { type CommittedRecord, consoleProperties, parseConsoleLine } from './console-lines.ts'
import { type Environment, lastLines } from './run-command.ts'

/** The reader did not get to the end, or contradicts itself: nothing may be concluded from what it read. */
export class CommittedReadFailed extends AppError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('COMMITTED_READ_FAILED', message, options)
  }
}

export type ConsoleReader = {
  /** True once it has ended without having been stopped, or printed something that cannot be right. */
  readonly hasFailed: () => boolean
  /** The end of what it wrote to standard error. */
  readonly complaints: () => string
  /** Ends it, takes what it still prints, and checks that all that it counted has arrived. @throws CommittedReadFailed */
  readonly stop: () => Promise<void>
  /** Ends it without a check; for when the reading failed anyway. Does nothing if it has ended. */
  readonly abandon: () => Promise<void>
}

const commitEveryMs = 100
const exitWithinMs = 20_000
/** Of a JVM that ends in order on SIGTERM: 128 + 15. */
const exitCodeOfSigterm = 143

/**
 * Starts Kafka's console consumer, which reads the committed records of a topic from its beginning and commits its
 * positions every 100 ms. A failure of any kind is kept until `stop`, which throws it.
 */
export const startConsoleReader = (options: {
  java: string
  classpath: string
  brokers: string
  topic: string
  groupId: string
  env: Environment
  onRecord: (record: CommittedRecord) => void
}): ConsoleReader => {
  const { java, classpath, brokers, topic, groupId, env, onRecord } = options
  const nullLiteral = `null-${randomUUID()}`
  const consumerProperties = [
    ...['enable.auto.commit=true', `auto.commit.interval.ms=${commitEveryMs}`, 'auto.offset.reset=earliest'],
  ]
  const child = spawn(
    java,
    [
      // It starts in half the time so, and seldom runs for longer.
      ...['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classpath],
      ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers, '--topic', topic],
      ...['--group', groupId, '--isolation-level', 'read_committed'],
      ...consumerProperties.flatMap((property) => ['--consumer-property', property]),
      ...consoleProperties(nullLiteral).flatMap((property) => ['--property', property]),
    ],
    { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)

  let complaints = ''
  let failure: unknown
  let stopping = false
  let ended: { code: number | null } | undefined
  let printed = 0
  const lastOffsets = new Map<number, bigint>()

  const take = (line: string) => {
    printed += 1
    const record = parseConsoleLine(line, nullLiteral)
    const before = lastOffsets.get(record.partition)
    // A record read twice must not look like a record written twice.
    if (before !== undefined && record.offset <= before) {
      const where = `${topic}/${record.partition}`
      throw new CommittedReadFailed(`the reader went back from offset ${before} to ${record.offset} of ${where}`)
    }
    lastOffsets.set(record.partition, record.offset)
    onRecord(record)
  }

  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-16_384)
  })
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    if (failure !== undefined) return
    try {
      take(line)
    } catch (error) {
      failure = error
    }
  })
  // After `close` both streams are at their end, so every line has been taken.
  const closed = new Promise<void>((resolve) => {
    const settle = () => {
      process.removeListener('exit', killAtExit)
      resolve()
    }
    child.once('error', (error) => {
      failure ??= error
      settle()
    })
    child.once('close', (code) => {
      ended = { code }
      if (!stopping) {
        const reason = `Kafka's console consumer ended by itself (exit code ${code}):\n${lastLines(complaints)}`
        failure ??= new CommittedReadFailed(reason)
      }
      settle()
    })
  })

  const end = async () => {
    stopping = true
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), exitWithinMs)
    await closed
    clearTimeout(killer)
  }

  return {
    hasFailed: () => failure !== undefined,
    complaints: () => lastLines(complaints),
    stop: async () => {
      await end()
      if (failure !== undefined) throw failure
      if (ended?.code !== exitCodeOfSigterm) {
        const reason = `Kafka's console consumer did not end in order (exit code ${ended?.code}):\n${lastLines(complaints)}`
        throw new CommittedReadFailed(reason)
      }
      const counted = /Processed a total of (\d+) messages/.exec(complaints)?.[1]
      if (Number(counted) !== printed) {
        throw new CommittedReadFailed(`the reader counts ${counted ?? 'nothing'}, but ${printed} lines came`)
      }
    },
    abandon: end,
  }
}
