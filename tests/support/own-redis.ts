import { resolve } from 'node:path'
import { prepareNativePrograms } from '../../dev/stack/native-servers.ts'
import { redisCommand } from '../../dev/stack/server-commands.ts'
import { createOwnServer, type OwnServer } from './own-server.ts'

/** A Redis that a test may kill and start again. What it was told survives, as with the one of the local stack. */
export type OwnRedis = OwnServer

export const createOwnRedis = async (): Promise<OwnRedis> => {
  const { redis } = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['redis'],
    env: process.env,
    onProgress: () => undefined,
  })
  return createOwnServer({
    server: 'redis',
    urlOf: (port) => `redis://127.0.0.1:${port}`,
    commandFor: async ({ folder, port }) => redisCommand(redis, folder, port),
    healthy: { timeoutMs: 30_000 },
  })
}
