import { join } from 'node:path'
import { type NativePrograms, prepareServer } from './native-servers.ts'
import { listensOn } from './port-owner.ts'
import { choosePort, isPortFree, loopback } from './ports.ts'
import { isHealthy } from './probes.ts'
import { isRunning, type ProcessRecord } from './process-identity.ts'
import type { Environment } from './run-command.ts'
import { serverAddress } from './server-commands.ts'
import { endProcess, logTail, startDetached } from './server-process.ts'
import { StackServerFailed, throwIfInterrupted } from './stack-errors.ts'
import type { ServerName, ServerRecord, stackPaths } from './state.ts'
import { becomesTrue } from './wait.ts'

export type NativeRecord = Extract<ServerRecord, { mode: 'native' }>

const healthyWithinMs = 120_000
const portAttempts = 3

export const titles: Record<ServerName, string> = { kafka: 'Kafka', registry: 'the schema registry', redis: 'Redis' }

type StartOptions = {
  paths: ReturnType<typeof stackPaths>
  programs: NativePrograms
  env: Environment
  owner: ProcessRecord | null
  /** The ports to try first; any free one if they are taken. */
  preferredPorts: (server: ServerName) => readonly number[]
  /** Called as soon as a process exists, before it is known to work: whoever comes next must be able to end it. */
  onStarted: (server: ServerName, record: NativeRecord) => void
  onProgress: (message: string) => void
  signal?: AbortSignal | undefined
}

type Attempt = { outcome: 'healthy' | 'ended' | 'silent'; logFile: string }

const tryPort = async (
  server: ServerName,
  port: number,
  promised: ReadonlySet<number>,
  options: StartOptions,
): Promise<Attempt> => {
  const { paths, programs, env, owner, onStarted, onProgress, signal } = options
  const command = await prepareServer(server, {
    ...{ programs, folder: paths.data(server), port, env, avoid: promised },
  })
  throwIfInterrupted(signal)
  const began = performance.now()
  onProgress(`starting ${titles[server]} on ${loopback}:${port}`)
  const logFile = join(paths.logs, `${server}.log`)
  const address = serverAddress[server](port)
  const record: NativeRecord = {
    ...{ address, mode: 'native', port, owner },
    ...(await startDetached(command, logFile, env)),
  }
  onStarted(server, record)
  let outcome: Attempt['outcome'] = 'silent'
  await becomesTrue(
    async () => {
      if (!isRunning(record)) outcome = 'ended'
      else if ((await isHealthy(server, address)) && listensOn(record.pid, port)) outcome = 'healthy'
      return outcome !== 'silent'
    },
    { timeoutMs: healthyWithinMs, signal },
  )
  // A server that answers the very first time leaves no pause in which the signal would be heard.
  throwIfInterrupted(signal)
  if (outcome === 'silent') await endProcess(record, titles[server])
  else if (outcome === 'healthy') {
    onProgress(`${titles[server]} answers after ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  }
  return { outcome, logFile }
}

const startOne = async (
  server: ServerName,
  firstPort: number,
  promised: Set<number>,
  options: StartOptions,
): Promise<void> => {
  let port = firstPort
  for (let attempt = 1; ; attempt++) {
    const { outcome, logFile } = await tryPort(server, port, promised, options)
    if (outcome === 'healthy') return
    // Somebody else can take the port between our look and the server's bind.
    if (outcome === 'ended' && attempt < portAttempts && !(await isPortFree(port))) {
      port = await choosePort({ avoid: promised })
      promised.add(port)
      continue
    }
    const what = outcome === 'ended' ? 'ended while it was starting' : `did not answer in ${healthyWithinMs / 1_000} s`
    throw new StackServerFailed(`${titles[server]} ${what}. The end of ${logFile}:\n${logTail(logFile)}`)
  }
}

/**
 * Starts these servers side by side and returns when all of them answer. If one fails or the signal is aborted,
 * the rest give up too, and the first failure is thrown; ending what `onStarted` was told of is the caller's part.
 */
export const startNative = async (servers: readonly ServerName[], options: StartOptions): Promise<void> => {
  const giveUp = new AbortController()
  const signal = AbortSignal.any([giveUp.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const promised = new Set<number>()
  const ports = new Map<ServerName, number>()
  for (const server of servers) {
    const port = await choosePort({ preferred: options.preferredPorts(server), avoid: promised })
    promised.add(port)
    ports.set(server, port)
  }
  const failures: unknown[] = []
  await Promise.all(
    [...ports].map(async ([server, port]) => {
      try {
        await startOne(server, port, promised, { ...options, signal })
      } catch (error) {
        failures.push(error)
        giveUp.abort()
      }
    }),
  )
  if (failures.length > 0) throw failures[0]
}
