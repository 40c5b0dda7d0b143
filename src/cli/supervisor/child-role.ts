import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createRestartPolicy } from './restart-policy.ts'
import { RoleFailed } from './role-failed.ts'
import { isRoleReady } from './role-messages.ts'

export type RoleSpec = {
  readonly name: string
  /** The program and its arguments, run by this Node. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where its output goes; null for where the output of this process goes. */
  readonly logFile: string | null
}

export type ChildRole = {
  readonly name: string
  readonly pid: () => number | undefined
  /** Base of its /health and /metrics once it is ready. */
  readonly url: () => string | undefined
  readonly restarts: () => number
  /** Resolves when it is ready for the first time. */
  readonly start: () => Promise<void>
  /** Asks it to stop, waits, and kills it when the deadline has passed. */
  readonly stop: (deadlineMs: number) => Promise<void>
}

export type RoleEvent =
  | { type: 'ready'; role: string; pid: number; url: string }
  | { type: 'ended'; role: string; code: number | null; signal: string | null; restartInMs: number }

const tail = (file: string, lines: number): string => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '(no log)'
  }
}

const failedToStart = ({ name, logFile }: RoleSpec, how: string, exitCode: number | null): RoleFailed =>
  new RoleFailed(
    logFile === null
      ? `the role ${name} ${how}; its output stands above`
      : `the role ${name} ${how}. The end of its log, ${logFile}:\n${tail(logFile, 12)}`,
    { exitCode },
  )

/** Runs one role as a child process and starts it again whenever it ends on its own. */
export const createChildRole = (
  spec: RoleSpec,
  options: { onEvent: (event: RoleEvent) => void; readyTimeoutMs: number },
): ChildRole => {
  const policy = createRestartPolicy({ firstMs: 200, mostMs: 10_000, steadyMs: 30_000 })
  let child: ChildProcess | undefined
  let exited: Promise<void> = Promise.resolve()
  let url: string | undefined
  let restarts = 0
  let stopping = false
  let restartTimer: NodeJS.Timeout | undefined

  const launch = (onReady: () => void, onEnd: (how: string, code: number | null) => void): void => {
    const log = spec.logFile === null ? 'inherit' : openSync(spec.logFile, 'a')
    const startedAt = performance.now()
    // The channel also ends the child when this process dies without a chance to stop it.
    const launched = spawn(process.execPath, [...spec.args], { env: spec.env, stdio: ['ignore', log, log, 'ipc'] })
    if (log !== 'inherit') closeSync(log)
    child = launched
    url = undefined
    launched.on('message', (message) => {
      if (!isRoleReady(message) || launched.pid === undefined) return
      url = message.url
      options.onEvent({ type: 'ready', role: spec.name, pid: launched.pid, url })
      onReady()
    })
    exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: string | null): void => {
        resolve()
        onEnd(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, code)
        if (stopping) return
        const restartInMs = policy.nextDelayMs(performance.now() - startedAt)
        options.onEvent({ type: 'ended', role: spec.name, code, signal, restartInMs })
        restartTimer = setTimeout(() => {
          restarts += 1
          launch(
            () => undefined,
            () => undefined,
          )
        }, restartInMs)
      }
      launched.once('exit', ended)
      launched.once('error', () => ended(null, null))
    })
  }

  const stop = async (deadlineMs: number): Promise<void> => {
    stopping = true
    clearTimeout(restartTimer)
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGTERM')
    const kill = setTimeout(() => running.kill('SIGKILL'), deadlineMs)
    await exited
    clearTimeout(kill)
  }

  return {
    name: spec.name,
    pid: () => child?.pid,
    url: () => url,
    restarts: () => restarts,
    start: () =>
      new Promise<void>((resolve, reject) => {
        let decided = false
        const fail = (how: string, exitCode: number | null): void => {
          // The end that follows from stopping it is not why.
          if (decided) return
          decided = true
          clearTimeout(timer)
          void stop(1000).then(() => reject(failedToStart(spec, how, exitCode)))
        }
        const timer = setTimeout(
          () => fail(`was not ready after ${options.readyTimeoutMs / 1000} s`, null),
          options.readyTimeoutMs,
        )
        launch(() => {
          if (decided) return
          decided = true
          clearTimeout(timer)
          resolve()
        }, fail)
      }),
    stop,
  }
}
