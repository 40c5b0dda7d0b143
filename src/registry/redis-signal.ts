import type { Redis } from 'ioredis'
import type { Logger } from '../telemetry/log.ts'
import { connectRedis, defaultDeadlines, type RedisDeadlines } from './redis-connection.ts'
import { SignalUnavailable } from './registry-errors.ts'
import type { AliasState, SwapSignal, WorkerAck } from './registry-types.ts'
import { createSwapSubscription, type SwapSubscription } from './swap-subscription.ts'

/**
 * Compare-and-set of the copy: an older epoch never replaces a newer one, whoever is late. The news are published
 * only when the copy changed, so that many workers which refill an emptied Redis do not wake each other in a storm.
 * KEYS: epoch, aliases. ARGV: epoch, aliases as JSON, channel. Returns the epoch that Redis holds afterwards.
 */
const announceScript = `
local held = tonumber(redis.call('GET', KEYS[1]) or '-1') or -1
local offered = tonumber(ARGV[1])
if held > offered then return held end
if held == offered and redis.call('GET', KEYS[2]) == ARGV[2] then return held end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return offered
`

const scanCount = 1000

/**
 * Carries the news of alias changes over Redis. All keys begin with `driftline:<task>:` - `epoch`, `aliases` (a copy
 * for people and for speed; the store is the truth) and `acks:<instance>`, which expire after `ackTtlMs`.
 * Every command ends within the deadline; a failure is a SignalUnavailable, thrown to the caller of that command only.
 */
export const createRedisSignal = ({
  redisUrl,
  task,
  ackTtlMs,
  logger,
  deadlines = defaultDeadlines,
}: {
  redisUrl: string
  task: string
  ackTtlMs: number
  logger: Logger
  deadlines?: RedisDeadlines
}): SwapSignal => {
  const prefix = `driftline:${task}:`
  const keys = { epoch: `${prefix}epoch`, aliases: `${prefix}aliases` }
  const channel = `${prefix}swap`
  const ackKey = (instance: string): string => `${prefix}acks:${instance}`
  const redis = connectRedis({ redisUrl, purpose: 'swap signal', deadlines, logger })
  let subscription: SwapSubscription | undefined

  const ask = async <T>(what: string, command: (redis: Redis) => Promise<T>): Promise<T> => {
    // While it is known to be down, say so at once; the connection heals in the background.
    const down = redis.status === 'close' || redis.status === 'reconnecting' || redis.status === 'end'
    try {
      if (down) throw new Error(`the connection is in state "${redis.status}"`)
      return await command(redis)
    } catch (cause) {
      throw new SignalUnavailable(`cannot ${what} in Redis: check REDIS_URL and that the server runs`, { cause })
    }
  }

  const readAcks = async (client: Redis): Promise<WorkerAck[]> => {
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [next, page] = await client.scan(cursor, 'MATCH', ackKey('*'), 'COUNT', scanCount)
      for (const key of page) found.add(key)
      cursor = next
    } while (cursor !== '0')
    if (found.size === 0) return []
    const values = await client.mget([...found])
    return values.filter((value) => value !== null).map((value) => JSON.parse(value) as WorkerAck)
  }

  return {
    announce: async (state: AliasState) => {
      const { epoch, aliases, shadows } = state
      const copy = JSON.stringify({ epoch, aliases, shadows })
      const held = await ask('announce the aliases', (client) =>
        client.eval(announceScript, 2, keys.epoch, keys.aliases, String(state.epoch), copy, channel),
      )
      if (Number(held) > state.epoch) {
        logger.warn({ offered: state.epoch, held }, 'Redis holds a newer epoch; the older one was not announced')
      }
    },

    readEpoch: () =>
      ask('read the epoch', async (client) => {
        // Half a copy is none: both keys have to be there, or the store fills both again.
        const [epoch, copies] = await Promise.all([client.get(keys.epoch), client.exists(keys.aliases)])
        const value = Number(epoch)
        return epoch === null || copies === 0 || !Number.isSafeInteger(value) ? null : value
      }),

    subscribe: (onNews) => {
      subscription ??= createSwapSubscription({ redisUrl, channel, deadlines, logger })
      return subscription.follow(onNews)
    },

    acknowledge: async (ack) => {
      await ask('acknowledge the model', (client) =>
        client.set(ackKey(ack.instance), JSON.stringify(ack), 'PX', ackTtlMs),
      )
    },

    acknowledgements: () => ask('list the acknowledgements', readAcks),

    close: async () => {
      subscription?.close()
      redis.disconnect()
    },
  }
}
