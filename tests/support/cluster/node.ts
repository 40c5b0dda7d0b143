import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isHealthy } from '../../../dev/stack/probes.ts'
import { kafkaCommand } from '../../../dev/stack/server-commands.ts'
import { eventually } from '../eventually.ts'
import type { TcpProxy } from '../tcp-proxy.ts'

/** One broker of a cluster: a process behind a line. */
export type ClusterNode = {
  readonly id: number
  /** Where clients reach it: the other end of the line. */
  readonly address: string
  /** Where brokers and tools of the test reach it, whatever happens to the line. */
  readonly directAddress: string
  readonly folder: string
  readonly line: TcpProxy
  readonly isRunning: () => boolean
  /** As a power cut. */
  readonly kill: () => Promise<void>
  /** In order: it hands its partitions over first. */
  readonly stop: () => Promise<void>
  /** Starts it, with the data that it has; resolves when it answers. */
  readonly start: () => Promise<void>
  /** Cut off from everybody, in both directions, with all its connections open. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: () => Promise<void>
}

const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 30_000
/** The first compiler alone, one thread for garbage: three of them start on two cores in a few seconds. */
const SMALL_JAVA = ['-Xms96m', '-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export const createNode = (options: {
  readonly id: number
  readonly java: string
  readonly jars: string
  readonly folder: string
  readonly port: number
  readonly line: TcpProxy
}): ClusterNode => {
  const { id, java, jars, folder, port, line } = options
  const logFile = join(folder, 'broker.log')
  let child: ChildProcess | undefined
  let closed: Promise<void> = Promise.resolve()

  // Whatever ends this process: no broker may outlive it.
  const killAtExit = (): void => {
    child?.kill('SIGKILL')
  }

  const logTail = (): string => readFileSync(logFile, 'utf8').slice(-2000)

  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null

  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (!isRunning()) return
    child?.kill('SIGCONT')
    child?.kill(signal)
    const killer = setTimeout(() => child?.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await closed
    clearTimeout(killer)
  }

  return {
    id,
    address: `127.0.0.1:${line.port}`,
    directAddress: `127.0.0.1:${port}`,
    folder,
    line,
    isRunning,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    freeze: () => {
      child?.kill('SIGSTOP')
    },
    thaw: () => {
      child?.kill('SIGCONT')
    },
    ended: () => closed,
    start: async () => {
      const command = kafkaCommand(java, jars, folder)
      const args = [...SMALL_JAVA, ...command.args.filter((arg) => !arg.startsWith('-Xm'))]
      const log = openSync(logFile, 'a')
      const started = spawn(command.command, args, { cwd: folder, stdio: ['ignore', log, log] })
      closeSync(log)
      child = started
      process.once('exit', killAtExit)
      closed = new Promise((done) => {
        started.once('close', () => {
          process.removeListener('exit', killAtExit)
          done()
        })
      })
      let failed: Error | undefined
      await eventually(
        async () => {
          if (!isRunning()) {
            failed = new Error(`broker ${id} ended while it was starting (${started.exitCode}):\n${logTail()}`)
            return
          }
          if (!(await isHealthy('kafka', `127.0.0.1:${port}`))) throw new Error(`broker ${id} does not answer`)
        },
        { timeoutMs: START_TIMEOUT_MS, everyMs: 100 },
      )
      if (failed !== undefined) throw failed
    },
  }
}
