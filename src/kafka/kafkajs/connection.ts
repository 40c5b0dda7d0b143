import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs'
import type { Logger } from '../../telemetry/log.ts'
import { fetchColumnar } from './columnar-fetch.ts'
import { registerCompression } from './compression.ts'
import { quietRequestTimers } from './request-timers.ts'
import type { KafkajsSecurity } from './security.ts'

export type ConnectionOptions = {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly logger: Logger
  readonly requestTimeoutMs?: number
  readonly security?: KafkajsSecurity
}

const KEEP_ALIVE_DELAY_MS = 10_000

/** The open sockets of each client, by host:port. */
const openSockets = new WeakMap<Kafka, ReadonlyMap<string, ReadonlySet<Socket>>>()

/** Opens sockets as kafkajs does, and remembers them in `open`. */
export const rememberingFactory =
  (open: Map<string, Set<Socket>>): ISocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const socket: Socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    // Not as kafkajs does: a transaction's small requests would wait for the acknowledgement of the one before.
    socket.setNoDelay(true)
    const address = `${host}:${port}`
    const siblings = open.get(address) ?? new Set()
    open.set(address, siblings)
    siblings.add(socket)
    socket.once('close', () => siblings.delete(socket))
    return socket
  }

/**
 * Breaks the connections of a client to a broker that left a request without an answer. kafkajs gives the request
 * up, but goes on with the connection; where a router has forgotten it, every further request is lost in the same way.
 * @param broker host:port; all brokers if left out
 */
export const breakConnections = (kafka: Kafka, broker?: string): void => {
  for (const [address, sockets] of openSockets.get(kafka) ?? []) {
    if (broker !== undefined && address !== broker) continue
    for (const socket of sockets) socket.destroy(new Error('a request had no answer in time'))
  }
}

/**
 * A kafkajs client with this house's settings. Producers and consumers get one each: kafkajs shares the offsets that
 * a transaction *means to* commit with every consumer of the same client, before the transaction is over.
 */
export const createKafka = (options: ConnectionOptions): Kafka => {
  const { brokers, clientId, logger, requestTimeoutMs = 10_000, security } = options
  quietRequestTimers()
  fetchColumnar()
  registerCompression()
  const open = new Map<string, Set<Socket>>()
  const kafka = new Kafka({
    socketFactory: rememberingFactory(open),
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3000,
    ...security,
    requestTimeout: requestTimeoutMs,
    // Each CONCURRENT_TRANSACTIONS costs one wait; the default first wait of 300 ms would set the pace of the worker.
    retry: { initialRetryTime: 5, maxRetryTime: 500, retries: 14 },
    logLevel: logLevel.ERROR,
    // kafkajs logs as errors what it then retries, and what we report ourselves when it does not help.
    logCreator:
      () =>
      ({ namespace, log: { message, timestamp: _timestamp, logger: _logger, ...details } }) => {
        const fields = { kafkajs: namespace, ...details }
        // Except this: records expired unread, or a topic was made anew.
        if (message.startsWith('Offset out of range')) logger.error(fields, message)
        else logger.debug(fields, message)
      },
  })
  openSockets.set(kafka, open)
  return kafka
}
