import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type API, apiVersionsV3, Connection, type ResponseParser, type Writer } from '@platformatic/kafka'
import { describeError } from '../../errors.ts'
import { accessDenied } from '../access-denied.ts'
import { backoffMs } from '../backoff.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'
import type { WireCall } from '../wire/wire-call.ts'
import { type ApiVersionsReply, type BrokerVersions, brokerVersions, negotiate, tooOld } from './api-versions.ts'
import { createExchange, type Exchange } from './exchange.ts'
import { protocolErrorType } from './protocol-errors.ts'
import type { ConnectionSecurity } from './security.ts'

export type BrokerAddress = { readonly host: string; readonly port: number }

/** An open connection. Requests go out in the order of the calls, and are answered in that order. */
export type BrokerLink = {
  readonly address: BrokerAddress
  readonly versions: BrokerVersions
  /** Sends a request of our own bytes. */
  readonly request: <Reply>(request: WireCall<Reply>) => Promise<Reply>
  /** Sends the newest of these versions of a request that the broker knows; name the newest first. */
  readonly call: <Arguments extends unknown[], Reply>(
    what: string,
    apis: readonly API<Arguments, Reply>[],
    ...args: Arguments
  ) => Promise<Reply>
  /** Breaks the connection at once: every request on it fails. */
  readonly break: () => void
}

/** One connection to each broker, for one purpose, so that a long poll never delays a commit. */
export type ConnectionPool = {
  /**
   * The open connection to a broker; opens one where there is none. Keep it for one exchange, not for longer: the
   * next call gives a new one when it broke or its credentials are about to end.
   * @throws KafkaUnavailable, KafkaAccessDenied, KafkaUnsuitable
   */
  readonly link: (address: BrokerAddress) => Promise<BrokerLink>
  /** Breaks the connection to this broker, or to all; the next request opens a new one. */
  readonly breakAll: (address?: BrokerAddress) => void
  /** Ends at once: requests under way fail. */
  readonly close: () => void
}

export type PoolOptions = {
  readonly clientId: string
  readonly security: ConnectionSecurity
  /** A request that has no answer after this time fails, and breaks its connection. */
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs?: number
  /** Told when a connection broke that nobody closed. */
  readonly onBroken?: (address: BrokerAddress) => void
}

const CONNECT_TIMEOUT_MS = 3000
const KEEP_ALIVE_DELAY_MS = 10_000
const RECONNECT = { firstMs: 20, maxMs: 1000 }
/** Brokers answer the requests of a connection one after another; this only bounds what waits in their socket. */
const MAX_IN_FLIGHT = 256
/** The part of a session's lifetime after which a new connection takes over. */
const RETIRE_AFTER = 0.8

export const addressKey = ({ host, port }: BrokerAddress): string => `${host}:${port}`

/** What the library's requests ask of a connection. */
const connectionOf = ({ request }: Exchange): Connection => {
  const send = <Reply>(
    apiKey: number,
    apiVersion: number,
    payload: () => Writer,
    parse: ResponseParser<Reply>,
    taggedRequest: boolean,
    taggedReply: boolean,
    callback: (error: Error | null, reply?: Reply) => void,
  ): void => {
    request({ apiKey, apiVersion, payload, parse, taggedRequest, taggedReply, copiesReply: false }).then(
      (reply) => callback(null, reply),
      callback,
    )
  }
  return { send } as unknown as Connection
}

type Slot = {
  opening: Promise<BrokerLink> | undefined
  open: { readonly link: BrokerLink; readonly retireAtMs: number; readonly retire: () => void } | undefined
  /** Attempts in a row that failed. */
  failures: number
  notBeforeMs: number
}

export const createConnectionPool = (options: PoolOptions): ConnectionPool => {
  const { clientId, security, requestTimeoutMs, connectTimeoutMs = CONNECT_TIMEOUT_MS, onBroken } = options
  const slots = new Map<string, Slot>()
  const connections = new Set<Connection>()
  const closing = new AbortController()

  const slotOf = (address: BrokerAddress): Slot => {
    const key = addressKey(address)
    const slot = slots.get(key) ?? { opening: undefined, open: undefined, failures: 0, notBeforeMs: 0 }
    slots.set(key, slot)
    return slot
  }

  const end = (connection: Connection): void => {
    connections.delete(connection)
    // Without the first the library would report an error, without the second it would wait for what is unwritten.
    connection.close(() => undefined)
    connection.socket?.destroy()
  }

  /** A broker that is stopped takes connections, and says nothing on them. */
  const firstReply = async (connection: Connection): Promise<ApiVersionsReply> => {
    const late = setTimeout(() => {
      connection.emit('error', new Error(`nothing was answered within ${connectTimeoutMs} ms`))
      end(connection)
    }, connectTimeoutMs)
    try {
      return await apiVersionsV3.api.async(connection, 'driftline', '1')
    } finally {
      clearTimeout(late)
    }
  }

  const open = async (address: BrokerAddress, slot: Slot): Promise<BrokerLink> => {
    const session = security.session()
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      maxInflights: MAX_IN_FLIGHT,
      ...(security.tls === null ? {} : { tls: security.tls }),
      // A name to ask for; addresses have none.
      ...(security.tls === null || isIP(address.host) ? {} : { tlsServerName: address.host }),
      ...(session === null ? {} : { sasl: session.sasl }),
    })
    let reason: Error | undefined
    // Without a listener an error would end the process. Who waits for a reply is told only that the connection ended.
    connection.on('error', (error) => {
      reason ??= error
    })
    connections.add(connection)
    try {
      await connection.connect(address.host, address.port)
      if (closing.signal.aborted) throw closing.signal.reason
      connection.socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
      const versions = brokerVersions(await firstReply(connection))
      const lifetimeMs = session?.lifetimeMs() ?? Number.POSITIVE_INFINITY
      return adopt(connection, address, versions, slot, performance.now() + lifetimeMs * RETIRE_AFTER)
    } catch (error) {
      // What a socket has to say may come a moment after its end.
      await new Promise(setImmediate)
      end(connection)
      throw reason ?? error
    }
  }

  /** Makes a connection the one that this slot gives out. */
  const adopt = (
    connection: Connection,
    address: BrokerAddress,
    versions: BrokerVersions,
    slot: Slot,
    retireAtMs: number,
  ): BrokerLink => {
    const exchange = createExchange(connection.socket, { clientId, requestTimeoutMs })
    let retired = false
    const settled = <T>(reply: Promise<T>): Promise<T> =>
      reply.finally(() => {
        if (retired && exchange.waiting() === 0) end(connection)
      })
    const link: BrokerLink = {
      address,
      versions,
      request: ({ flexible, copiesReply = false, ...call }) =>
        settled(exchange.request({ ...call, copiesReply, taggedRequest: flexible, taggedReply: flexible })),
      call: (what, apis, ...args) => settled(negotiate(versions, what, apis).async(connectionOf(exchange), ...args)),
      break: () => {
        if (slot.open?.link === link) slot.open = undefined
        end(connection)
      },
    }
    const held = {
      link,
      retireAtMs,
      retire: () => {
        retired = true
        if (exchange.waiting() === 0) end(connection)
      },
    }
    connection.once('close', () => {
      const broken = connections.delete(connection)
      if (slot.open === held) slot.open = undefined
      if (broken && !retired) onBroken?.(address)
    })
    slot.open = held
    return link
  }

  const openWithPatience = async (address: BrokerAddress, slot: Slot): Promise<BrokerLink> => {
    const where = addressKey(address)
    try {
      const waitMs = slot.notBeforeMs - performance.now()
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: closing.signal })
      const link = await open(address, slot)
      slot.failures = 0
      return link
    } catch (error) {
      if (closing.signal.aborted) throw closing.signal.reason
      slot.failures++
      slot.notBeforeMs = performance.now() + backoffMs(slot.failures, Math.random(), RECONNECT)
      if (protocolErrorType(error) === 'UNSUPPORTED_VERSION') throw tooOld('ApiVersions 3')
      const what = `${where} cannot be reached`
      throw (
        accessDenied(`${where} cannot be used`, error) ??
        new KafkaUnavailable(`${what}: ${describeError(error)}`, { cause: error })
      )
    }
  }

  return {
    link: async (address) => {
      if (closing.signal.aborted) throw closing.signal.reason
      const slot = slotOf(address)
      if (slot.open !== undefined && performance.now() > slot.open.retireAtMs) {
        const old = slot.open
        slot.open = undefined
        old.retire()
      }
      if (slot.open !== undefined) return slot.open.link
      slot.opening ??= openWithPatience(address, slot).finally(() => {
        slot.opening = undefined
      })
      return await slot.opening
    },
    breakAll: (address) => {
      const broken = address === undefined ? [...slots.values()] : [slotOf(address)]
      for (const slot of broken) slot.open?.link.break()
    },
    close: () => {
      closing.abort(new KafkaUnavailable('the Kafka connections of this client are closed', { retryable: false }))
      for (const connection of connections) end(connection)
    },
  }
}
