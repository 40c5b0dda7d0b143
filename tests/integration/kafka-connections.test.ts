import { type AddressInfo, createServer, type Server } from 'node:net'
import { metadataV9 } from '@platformatic/kafka'
import { afterEach, describe, expect, test } from 'vitest'
import { createCluster, parseBroker } from '../../src/kafka/platformatic/cluster.ts'
import {
  type BrokerAddress,
  type ConnectionPool,
  createConnectionPool,
  type PoolOptions,
} from '../../src/kafka/platformatic/connections.ts'
import { connectionSecurity } from '../../src/kafka/platformatic/security.ts'
import { eventually } from '../support/eventually.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka.ts'
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const plain = connectionSecurity({ tls: null, sasl: null })

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const openPool = (options: Partial<PoolOptions> = {}) => {
  const pool = createConnectionPool({ clientId: 'test', security: plain, requestTimeoutMs: 5000, ...options })
  cleanups.push(pool.close)
  return pool
}

/** A line to the broker that a test may break. */
const openLine = async (): Promise<TcpProxy & { readonly address: BrokerAddress }> => {
  const line = await createTcpProxy(parseBroker(kafkaBrokers()[0]!))
  cleanups.push(line.close)
  return { ...line, address: { host: '127.0.0.1', port: line.port } }
}

/** A server that is no broker; `answer` says what it does with the first bytes. */
const openServer = async (
  answer: (chunk: Buffer) => Buffer | null,
): Promise<{ address: BrokerAddress; met: () => number }> => {
  let met = 0
  const server: Server = createServer((socket) => {
    met++
    socket.on('error', () => socket.destroy())
    socket.once('data', (chunk) => {
      const reply = answer(chunk)
      if (reply === null) socket.destroy()
      else socket.write(reply)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  cleanups.push(() => new Promise((closed) => server.close(closed)))
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, met: () => met }
}

const ask = async (pool: ConnectionPool, address: BrokerAddress) => {
  const link = await pool.link(address)
  return await link.call('Metadata 9', [metadataV9.api], [], false)
}

describe('a pool of connections', () => {
  test('opens one connection to a broker, however many ask for it', async () => {
    const { address } = await openLine()
    const pool = openPool()
    const links = await Promise.all([pool.link(address), pool.link(address), pool.link(address)])
    expect(new Set(links).size).toBe(1)
    expect(links[0]?.versions.rangeOf(3)?.max).toBeGreaterThanOrEqual(9)
    expect(links[0]?.versions.supports(3, 9)).toBe(true)
    expect(links[0]?.versions.rangeOf(30_000)).toBeNull()
  })

  test('gives up a request that has no answer, and its connection with it', async () => {
    const broken: BrokerAddress[] = []
    const line = await openLine()
    const pool = openPool({ requestTimeoutMs: 300, onBroken: (address) => broken.push(address) })
    await ask(pool, line.address)
    line.stall()
    await expect(ask(pool, line.address)).rejects.toThrow('timed out')
    await eventually(() => expect(broken).toEqual([line.address]))
    // The line is well for new connections only, as after a router that forgot.
    line.heal()
    await eventually(async () => expect((await ask(pool, line.address)).brokers.length).toBeGreaterThan(0))
  })

  test('fails what is under way as soon as the connection breaks, and comes back', async () => {
    const line = await openLine()
    const pool = openPool()
    await ask(pool, line.address)
    line.stall()
    const waiting = ask(pool, line.address)
    line.cut()
    await expect(waiting).rejects.toThrow()
    await expect(ask(pool, line.address)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true })
    line.heal()
    await eventually(async () => expect((await ask(pool, line.address)).brokers.length).toBeGreaterThan(0))
  })

  test('ends at once when it is closed', async () => {
    const line = await openLine()
    const pool = openPool()
    await ask(pool, line.address)
    line.stall()
    const waiting = ask(pool, line.address)
    const opening = pool.link({ host: '127.0.0.1', port: (await openLine()).port })
    pool.close()
    await expect(waiting).rejects.toThrow()
    await expect(opening).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: false })
    await expect(pool.link(line.address)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: false })
  })

  test('waits a while for a broker that takes connections and says nothing', async () => {
    const line = await openLine()
    line.stall()
    const pool = openPool({ connectTimeoutMs: 200, requestTimeoutMs: 60_000 })
    await expect(pool.link(line.address)).rejects.toThrow('within 200 ms')
    line.heal()
    await eventually(async () => expect((await ask(pool, line.address)).brokers.length).toBeGreaterThan(0))
  })

  test('does not run against a broker that turns it away', async () => {
    const { address, met } = await openServer(() => null)
    const pool = openPool()
    const started = performance.now()
    for (let i = 0; i < 6; i++) await expect(pool.link(address)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
    expect(met()).toBe(6)
    // Waits of 10, 20, 40, 80 and 160 ms at least lie between them.
    expect(performance.now() - started).toBeGreaterThan(300)
  })

  test('refuses a broker that is too old', async () => {
    // The reply of a broker that does not know version 3 of ApiVersions: its form is that of version 0.
    const { address } = await openServer((request) => {
      const reply = Buffer.alloc(14)
      reply.writeInt32BE(10, 0)
      reply.writeInt32BE(request.readInt32BE(8), 4)
      reply.writeInt16BE(35, 8)
      return reply
    })
    await expect(openPool().link(address)).rejects.toMatchObject({ code: 'KAFKA_UNSUITABLE', retryable: false })
  })
})

describe('a cluster', () => {
  const dead = '127.0.0.1:1'
  const open = (brokers: readonly string[]) => createCluster({ brokers, pool: openPool() })

  test('is found through the first broker that answers', async () => {
    const cluster = open([dead, ...kafkaBrokers()])
    expect((await cluster.nodes()).length).toBeGreaterThan(0)
    const group = uniqueName('group')
    // Who asks a fresh broker first waits until it has made the topic of its groups.
    const coordinator = await eventually(() => cluster.coordinatorOf('group', group))
    expect(await cluster.nodes()).toContainEqual(expect.objectContaining({ nodeId: coordinator.nodeId }))
    expect(await cluster.coordinatorOf('group', group)).toBe(coordinator)
    cluster.forgetCoordinator('group', group)
    expect(await cluster.coordinatorOf('group', group)).not.toBe(coordinator)
  })

  test('names every broker that did not answer', async () => {
    const failing = open([dead, '127.0.0.1:2']).nodes()
    await expect(failing).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true })
    await expect(failing).rejects.toThrow(/127\.0\.0\.1:1 .*127\.0\.0\.1:2 /)
  })

  test('tells a topic that is not there from a broker that is not', async () => {
    const missing = uniqueName('missing')
    const cluster = open(kafkaBrokers())
    expect(await cluster.findTopic(missing)).toBeNull()
    await expect(cluster.leaderOf(missing, 0)).rejects.toMatchObject({ code: 'KAFKA_UNSUITABLE' })
  })

  test.each(['localhost', 'localhost:', ':9092', 'a:b:9092', 'a:99999', ''])('refuses the address %j', (text) => {
    expect(() => parseBroker(text)).toThrow(`'${text}'`)
  })

  test('takes names and addresses of both kinds', () => {
    expect(parseBroker(' kafka-1.example:9092')).toEqual({ host: 'kafka-1.example', port: 9092 })
    expect(parseBroker('10.0.0.1:9092')).toEqual({ host: '10.0.0.1', port: 9092 })
    expect(parseBroker('[::1]:9092')).toEqual({ host: '::1', port: 9092 })
  })
})
