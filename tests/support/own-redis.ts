import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { prepareNativePrograms } from '../../dev/stack/native-servers.ts'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { redisCommand } from '../../dev/stack/server-commands.ts'
import { eventually } from './eventually.ts'

/** A Redis that a test may kill and start again. What it was told survives, as with the one of the local stack. */
export type OwnRedis = {
  readonly url: string
  readonly start: () => Promise<void>
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

export const createOwnRedis = async (): Promise<OwnRedis> => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-redis-'))
  const { redis } = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['redis'],
    env: process.env,
    onProgress: () => undefined,
  })
  const port = await choosePort({})
  const url = `redis://127.0.0.1:${port}`
  const command = redisCommand(redis, folder, port)
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
      child = spawn(command.command, [...command.args], { cwd: folder, stdio: 'ignore' })
      await eventually(
        async () => {
          if (!(await isHealthy('redis', url))) throw new Error('Redis does not answer')
        },
        { timeoutMs: 30_000 },
      )
    },
    close: async () => {
      await kill()
      process.removeListener('exit', killAtExit)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
