import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { eventually } from './eventually.ts'

/** A server that a test may kill and start again; what it was told survives. */
export type OwnServer = {
  readonly url: string
  readonly start: () => Promise<void>
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A server in a folder and on a port of its own; started when it is told to be, ended with this process. */
export const createOwnServer = async (options: {
  readonly server: 'redis' | 'registry'
  readonly urlOf: (port: number) => string
  readonly commandFor: (place: {
    folder: string
    port: number
  }) => Promise<{ command: string; args: readonly string[] }>
  readonly healthy: { timeoutMs: number; everyMs?: number }
}): Promise<OwnServer> => {
  const { server } = options
  const folder = mkdtempSync(join(tmpdir(), `driftline-${server}-`))
  const port = await choosePort({})
  const url = options.urlOf(port)
  let child: ChildProcess | undefined

  const killAtExit = (): void => {
    child?.kill('SIGKILL')
  }
  process.once('exit', killAtExit)

  const kill = async (): Promise<void> => {
    const current = child
    child = undefined
    if (current === undefined || current.exitCode !== null || current.signalCode !== null) return
    const closed = new Promise((done) => current.once('close', done))
    current.kill('SIGKILL')
    await closed
  }

  return {
    url,
    kill,
    start: async () => {
      const { command, args } = await options.commandFor({ folder, port })
      child = spawn(command, [...args], { cwd: folder, stdio: 'ignore' })
      await eventually(async () => {
        if (!(await isHealthy(server, url))) throw new Error(`${server} does not answer`)
      }, options.healthy)
    },
    close: async () => {
      await kill()
      process.removeListener('exit', killAtExit)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
