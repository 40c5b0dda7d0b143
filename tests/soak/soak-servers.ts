import { type Cluster, createCluster } from '../support/cluster/cluster.ts'
import { canMount } from '../support/cluster/small-disk.ts'
import { createOwnRedis, type OwnRedis } from '../support/own-redis.ts'
import { createOwnRegistry, type OwnRegistry } from '../support/own-registry.ts'
import { createUrlProxy, type TcpProxy } from '../support/tcp-proxy.ts'

type UrlLine = TcpProxy & { readonly url: string }

/** Servers of the soak's own, each behind a line that can be broken. */
export type SoakServers = {
  readonly cluster: Cluster
  readonly redis: OwnRedis
  readonly redisLine: UrlLine
  readonly registry: OwnRegistry
  readonly registryLine: UrlLine
  readonly close: () => Promise<void>
}

/** The broker whose disk can be filled, where this process may mount one. */
export const SMALL_DISK_BROKER = 3
/** Three replicas of what twenty minutes write, with room. */
const SMALL_DISK_MEGABYTES = 3000

export const startSoakServers = async (): Promise<SoakServers> => {
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    // The last one first: lines before the servers behind them.
    for (const closer of closers.toReversed()) await closer().catch(() => undefined)
  }
  const closing = <T extends { readonly close: () => Promise<unknown> }>(part: T): T => {
    closers.push(part.close)
    return part
  }
  try {
    const smallDisk = { id: SMALL_DISK_BROKER, megabytes: SMALL_DISK_MEGABYTES }
    const cluster = closing(await createCluster(canMount() ? { smallDisk } : {}))
    const redis = closing(await createOwnRedis())
    const registry = closing(await createOwnRegistry())
    await Promise.all([redis.start(), registry.start()])
    const redisLine = closing(await createUrlProxy(redis.url, 6379))
    const registryLine = closing(await createUrlProxy(registry.url, 80))
    return { cluster, redis, redisLine, registry, registryLine, close }
  } catch (error) {
    await close()
    throw error
  }
}
