import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const entry = fileURLToPath(new URL('../../../bin/driftline.js', import.meta.url))
const clockShift = pathToFileURL(fileURLToPath(new URL('../programs/clock-shift.mjs', import.meta.url))).href

/** A process that runs the role `score`, as a user would start it. */
export type ScoringWorker = {
  readonly name: string
  readonly child: ChildProcess
  readonly pid: number
  /** The base of its /metrics and /health. Rejects where it ends before it is ready. */
  readonly ready: Promise<string>
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly isRunning: () => boolean
  /** The end of what it wrote to standard error. */
  readonly complaints: () => string
  /** Moves its clock, where it was started with one that moves; resolves with what its clock shows then. */
  readonly shiftClock: (ms: number) => Promise<number>
  /** Its resident memory in bytes; null once it has ended. */
  readonly residentBytes: () => number | null
  /** SIGTERM, and SIGKILL where that takes longer than a role is given. */
  readonly stop: () => Promise<void>
}

const STOP_WITHIN_MS = 35_000
const KEPT_CHARACTERS = 20_000

export const startScoringWorker = (options: {
  readonly name: string
  readonly env: NodeJS.ProcessEnv
  /** Its clock can be moved while it runs. */
  readonly movingClock?: boolean
}): ScoringWorker => {
  const { name, env, movingClock = false } = options
  const preload = movingClock ? ['--import', clockShift] : []
  const child = spawn(process.execPath, [...preload, entry, 'run', 'score'], {
    env: { ...process.env, DRIFTLINE_METRICS_PORT: '0', DRIFTLINE_LOG_LEVEL: 'warn', ...env },
    // Without the channel it stops: no worker outlives the process that tries it.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-KEPT_CHARACTERS)
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { type?: string; url?: string }) => {
      if (message.type === 'ready') resolve(message.url ?? '')
    })
    ended.then(({ code, signal }) => reject(new Error(`${name} ended with ${code ?? signal}: ${complaints}`)))
  })
  ready.catch(() => undefined)
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null

  return {
    name,
    child,
    pid: child.pid ?? 0,
    ready,
    ended,
    isRunning,
    complaints: () => complaints,
    shiftClock: (ms) =>
      new Promise((resolve, reject) => {
        const onMessage = (message: { type?: string; now?: number }): void => {
          if (message.type !== 'clock-shifted') return
          child.off('message', onMessage)
          resolve(message.now ?? 0)
        }
        child.on('message', onMessage)
        child.send({ type: 'shift-clock', ms }, (error) => error && reject(error))
      }),
    residentBytes: () => {
      try {
        const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
        return kilobytes === undefined ? null : Number(kilobytes) * 1024
      } catch {
        return null
      }
    },
    stop: async () => {
      if (!isRunning()) return
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      await ended
      clearTimeout(killer)
    },
  }
}
