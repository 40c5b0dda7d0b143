import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { eventually } from './eventually.ts'
import { createOwnProcess } from './own-process.ts'

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
  const program = createOwnProcess()

  return {
    url,
    kill: program.kill,
    start: async () => {
      const { command, args } = await options.commandFor({ folder, port })
      program.start({ command, args, folder })
      await eventually(async () => {
        if (!(await isHealthy(server, url))) throw new Error(`${server} does not answer`)
      }, options.healthy)
    },
    close: async () => {
      await program.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
