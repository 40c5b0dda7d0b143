import { resolve } from 'node:path'
import { prepareNativePrograms, prepareServer } from '../../dev/stack/native-servers.ts'
import { serverAddress } from '../../dev/stack/server-commands.ts'
import { createOwnServer, type OwnServer } from './own-server.ts'

/** A schema registry that a test may kill and start again; it keeps its schemas. */
export type OwnRegistry = OwnServer

export const createOwnRegistry = async (): Promise<OwnRegistry> => {
  const programs = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['registry'],
    env: process.env,
    onProgress: () => undefined,
  })
  return createOwnServer({
    server: 'registry',
    urlOf: serverAddress.registry,
    commandFor: ({ folder, port }) =>
      prepareServer('registry', { programs, folder, port, env: process.env, avoid: new Set<number>() }),
    healthy: { timeoutMs: 90_000, everyMs: 200 },
  })
}
