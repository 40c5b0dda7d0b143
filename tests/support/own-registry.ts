import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { prepareNativePrograms, prepareServer } from '../../dev/stack/native-servers.ts'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { serverAddress } from '../../dev/stack/server-commands.ts'
import { eventually } from './eventually.ts'

/** A schema registry that a test may kill and start again; it keeps its schemas. */
export type OwnRegistry = {
  readonly url: string
  readonly start: () => Promise<void>
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

export const createOwnRegistry = async (): Promise<OwnRegistry> => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-registry-'))
  const programs = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['registry'],
    env: process.env,
    onProgress: () => undefined,
  })
  const port = await choosePort({})
  const url = serverAddress.registry(port)
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
      const { command, args } = await prepareServer('registry', {
        ...{ programs, folder, port, env: process.env, avoid: new Set<number>() },
      })
      child = spawn(command, [...args], { cwd: folder, stdio: 'ignore' })
      await eventually(
        async () => {
          if (!(await isHealthy('registry', url))) throw new Error('the registry does not answer')
        },
        { timeoutMs: 90_000, everyMs: 200 },
      )
    },
    close: async () => {
      await kill()
      process.removeListener('exit', killAtExit)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
