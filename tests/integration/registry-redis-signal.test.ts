import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRedisSignal } from '../../src/registry/redis-signal.ts'
import { SignalUnavailable } from '../../src/registry/registry-errors.ts'
import type { AliasState, SwapSignal, WorkerAck } from '../../src/registry/registry-types.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { createUrlProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const redisUrl = process.env['REDIS_URL']!
const logger = createLogger({ name: 'test', level: 'silent', instanceId: 'test' })
const deadlines = { commandTimeoutMs: 300, maxReconnectDelayMs: 100, subscriptionCheckMs: 200 }

const state = (epoch: number, production = String(epoch)): AliasState => ({
  epoch,
  aliases: { production },
  shadows: [],
  history: [],
})
const ack = (instance: string, version = '1'): WorkerAck => ({
  instance,
  role: 'score',
  version,
  epoch: 1,
  flippedAt: 5,
})

describe('the swap signal over Redis', () => {
  let task: string
  let prefix: string
  let redis: Redis
  let proxy: TcpProxy & { url: string }
  const opened: SwapSignal[] = []

  /** A signal whose line to Redis the test can break. */
  const open = (ackTtlMs = 60_000, url = proxy.url): SwapSignal => {
    const signal = createRedisSignal({ redisUrl: url, task, ackTtlMs, logger, deadlines })
    opened.push(signal)
    return signal
  }

  beforeEach(async () => {
    task = `t${randomUUID().replaceAll('-', '')}`
    prefix = `driftline:${task}:`
    redis = new Redis(redisUrl)
    proxy = await createUrlProxy(redisUrl, 6379)
  })
  afterEach(async () => {
    for (const signal of opened.splice(0)) await signal.close()
    await proxy.close()
    const left = await redis.keys(`${prefix}*`)
    if (left.length > 0) await redis.del(left)
    redis.disconnect()
  })

  test('copies the aliases and their epoch', async () => {
    const signal = open()
    expect(await signal.readEpoch()).toBeNull()
    await signal.announce(state(3))
    expect(await signal.readEpoch()).toBe(3)
    expect(await redis.get(`${prefix}epoch`)).toBe('3')
    expect(JSON.parse((await redis.get(`${prefix}aliases`))!)).toEqual({
      epoch: 3,
      aliases: { production: '3' },
      shadows: [],
    })
  })

  test('an older epoch never replaces a newer one, in whatever order they arrive', async () => {
    const signal = open()
    const epochs = [4, 9, 2, 10, 7, 1]
    await Promise.all(epochs.map((epoch) => signal.announce(state(epoch))))
    expect(await signal.readEpoch()).toBe(10)
    expect(JSON.parse((await redis.get(`${prefix}aliases`))!)).toMatchObject({
      epoch: 10,
      aliases: { production: '10' },
    })
  })

  test.each(['epoch', 'aliases'])('half a copy counts as none and is completed: %s is gone', async (key) => {
    const signal = open()
    await signal.announce(state(2))
    await redis.del(prefix + key)
    expect(await signal.readEpoch()).toBeNull()
    await signal.announce(state(2))
    expect(await signal.readEpoch()).toBe(2)
    expect(await redis.exists(`${prefix}aliases`)).toBe(1)
  })

  test('what is no epoch counts as none and is replaced', async () => {
    const signal = open()
    await redis.mset({ [`${prefix}epoch`]: 'seven', [`${prefix}aliases`]: '{}' })
    expect(await signal.readEpoch()).toBeNull()
    await signal.announce(state(1))
    expect(await signal.readEpoch()).toBe(1)
  })

  test('publishes a change once: to announce it again wakes nobody', async () => {
    const listener = new Redis(redisUrl)
    try {
      const messages: string[] = []
      listener.on('message', (_channel, message) => messages.push(message))
      await listener.subscribe(`${prefix}swap`)
      const signal = open()
      await signal.announce(state(1))
      await signal.announce(state(1))
      await signal.announce(state(2))
      await signal.announce(state(1))
      await signal.announce(state(3))
      await eventually(() => expect(messages).toContain('3'))
      expect(messages).toEqual(['1', '2', '3'])
    } finally {
      listener.disconnect()
    }
  })

  test('tells every subscriber of a change', async () => {
    const [one, two] = [open(), open()]
    const heard = { one: 0, two: 0 }
    await one.subscribe(() => (heard.one += 1))
    await two.subscribe(() => (heard.two += 1))
    const before = { ...heard }
    await one.announce(state(1))
    await eventually(() => {
      expect(heard.one).toBeGreaterThan(before.one)
      expect(heard.two).toBeGreaterThan(before.two)
    })
  })

  test('calls back after a reconnect, when it listens again', async () => {
    let news = 0
    await open().subscribe(() => (news += 1))
    proxy.cut()
    const whileCut = news
    proxy.heal()
    await eventually(() => expect(news).toBeGreaterThan(whileCut))
    const reconnected = news
    await open(60_000, redisUrl).announce(state(1))
    await eventually(() => expect(news).toBeGreaterThan(reconnected))
  })

  test('notices that its subscription died without a word', async () => {
    let news = 0
    await open().subscribe(() => (news += 1))
    const first = news
    proxy.stall()
    await open(60_000, redisUrl).announce(state(1))
    proxy.heal()
    await eventually(() => expect(news).toBeGreaterThan(first))
  })

  test('a subscription that begins while Redis is away resolves, and stands once it is back', async () => {
    proxy.cut()
    let news = 0
    await open().subscribe(() => (news += 1))
    expect(news).toBe(0)
    proxy.heal()
    await eventually(() => expect(news).toBeGreaterThan(0))
  })

  test.each(['cut', 'stall'] as const)(
    'every command fails in time while the line is %s, and works after',
    async (how) => {
      const signal = open()
      await signal.announce(state(1))
      proxy[how]()
      for (let round = 0; round < 3; round += 1) {
        const startedAt = performance.now()
        const results = await Promise.allSettled([
          signal.readEpoch(),
          signal.announce(state(2)),
          signal.acknowledge(ack('a')),
          signal.acknowledgements(),
        ])
        expect(performance.now() - startedAt).toBeLessThan(5000)
        for (const result of results) {
          expect(result.status).toBe('rejected')
          expect((result as PromiseRejectedResult).reason).toBeInstanceOf(SignalUnavailable)
        }
      }
      proxy.heal()
      await eventually(async () => expect(await signal.readEpoch()).not.toBeNull())
      await eventually(() => signal.announce(state(3)))
      expect(await signal.readEpoch()).toBe(3)
    },
  )

  test('lists who acknowledged, the last word of each', async () => {
    const signal = open()
    expect(await signal.acknowledgements()).toEqual([])
    await signal.acknowledge(ack('a'))
    await signal.acknowledge(ack('b'))
    await signal.acknowledge(ack('a', '2'))
    const acks = await signal.acknowledgements()
    expect(acks.sort((x, y) => x.instance.localeCompare(y.instance))).toEqual([ack('a', '2'), ack('b')])
  })

  test('forgets an acknowledgement that is not renewed', async () => {
    await open(150).acknowledge(ack('short'))
    const signal = open()
    await signal.acknowledge(ack('long'))
    await eventually(async () => expect(await signal.acknowledgements()).toEqual([ack('long')]))
  })

  test('tasks do not see each other', async () => {
    await open().announce(state(5))
    await open().acknowledge(ack('a'))
    // A task whose name is the beginning of this one's.
    task = task.slice(0, -1)
    const other = open()
    expect(await other.readEpoch()).toBeNull()
    expect(await other.acknowledgements()).toEqual([])
  })

  test('after close every command is refused and nothing is left running', async () => {
    const signal = open()
    let news = 0
    await signal.subscribe(() => (news += 1))
    await signal.close()
    await signal.close()
    await expect(signal.readEpoch()).rejects.toThrow(SignalUnavailable)
    const heard = news
    let others = 0
    const other = open()
    await other.subscribe(() => (others += 1))
    const before = others
    await other.announce(state(1))
    await eventually(() => expect(others).toBeGreaterThan(before))
    expect(news).toBe(heard)
  })
})
