import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Kafka } from 'kafkajs'
import { KafkaUnsuitable } from '../kafka-errors.ts'

/**
 * The parts of kafkajs that are not public and that this house needs: its request encoder and its cluster.
 * kafkajs is pinned to one version; what is taken from it is checked when it is taken, so that another
 * version fails at start-up and not in the middle of a transaction.
 */

export type Encoder = {
  writeInt8: (value: number) => Encoder
  writeInt16: (value: number) => Encoder
  writeInt32: (value: number) => Encoder
  writeInt64: (value: string) => Encoder
  /** A length of two bytes, then UTF-8; null is the length -1. */
  writeString: (value: string | null) => Encoder
  /** A length of four bytes, then the bytes. */
  writeBytes: (value: Buffer) => Encoder
  writeBoolean: (value: boolean) => Encoder
  /** The bytes without a length. */
  writeBufferInternal: (value: Buffer) => Encoder | undefined
  readonly buffer: Buffer
  writeUVarIntString: (value: string | null) => Encoder
  writeUVarIntArray: (items: readonly Encoder[]) => Encoder
  /** Without an argument: the zero byte that ends a structure without tagged fields. */
  writeUVarIntBytes: () => Encoder
}

export type Decoder = {
  readInt16: () => number
  readInt32: () => number
  readInt64: () => { toString: () => string }
  readString: () => string
  readArray: <T>(read: (decoder: Decoder) => T) => T[]
  readBytes: (length: number) => Buffer
  canReadBytes: (length: number) => boolean
  readUVarIntString: () => string | null
  readUVarIntArray: <T>(read: (decoder: Decoder) => T) => T[] | null
  readTaggedFields: () => unknown
}

export type ProtocolRequest<T, D = T> = {
  request: {
    apiKey: number
    apiVersion: number
    apiName: string
    encode: () => Promise<Encoder>
    expectResponse?: () => boolean
  }
  response: { decode: (payload: Buffer) => Promise<D>; parse: (decoded: D) => Promise<T> }
  /** How long to wait for the reply; the client's own time without it. */
  requestTimeout?: number
  logResponseError: boolean
}

/** Who writes a transaction. */
type Producer = { transactionalId: string; producerId: string; producerEpoch: number }

/** One of a broker's connections, as its pool hands it out: connected, and perhaps not authenticated yet. */
export type InternalConnection = {
  readonly clientId: string
  readonly sasl: unknown
  readonly socket: Pick<Socket, 'cork' | 'uncork' | 'write'>
  isAuthenticated: () => boolean
  nextCorrelationId: () => number
  readonly requestQueue: {
    push: (request: {
      entry: {
        apiKey: number
        apiName: string
        apiVersion: number
        correlationId: number
        resolve: (reply: { payload: Buffer }) => void
        reject: (error: Error) => void
      }
      expectResponse: boolean
      /** The client's own time where it is null. */
      requestTimeout: number | null
      sendRequest: () => void
    }) => void
    maybeThrottle: (ms: number | null) => void
  }
}

export type InternalBroker = {
  versions: Record<number, { minVersion: number; maxVersion: number }> | null
  connectionPool: {
    send: <T, D>(request: ProtocolRequest<T, D>) => Promise<T>
    getConnection: () => Promise<InternalConnection>
  }
  addPartitionsToTxn: (
    options: Producer & { topics: readonly { topic: string; partitions: readonly number[] }[] },
  ) => Promise<unknown>
  addOffsetsToTxn: (options: Producer & { groupId: string }) => Promise<unknown>
  txnOffsetCommit: (
    options: Producer & {
      groupId: string
      topics: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]
    },
  ) => Promise<unknown>
  endTxn: (options: Producer & { transactionResult: boolean }) => Promise<unknown>
}

/** Which kind of coordinator is looked for. */
export const TRANSACTION_COORDINATOR = 1

export type InternalCluster = {
  connect: () => Promise<void>
  disconnect: () => Promise<void>
  refreshMetadata: () => Promise<void>
  refreshMetadataIfNecessary: () => Promise<void>
  addMultipleTargetTopics: (topics: readonly string[]) => Promise<void>
  findTopicPartitionMetadata: (topic: string) => readonly { partitionId: number; leader: number }[]
  findBroker: (options: { nodeId: number }) => Promise<InternalBroker>
  findGroupCoordinator: (options: { groupId: string; coordinatorType?: number }) => Promise<InternalBroker>
}

export type RequestQueueClass = {
  prototype: {
    scheduleCheckPendingRequests: (this: { pending: readonly unknown[]; throttledUntil: number }) => void
  }
}

const require = createRequire(import.meta.url)

const internal = <T>(path: string, fits: (module: unknown) => boolean): T => {
  const module: unknown = require(`kafkajs/src/${path}`)
  if (!fits(module)) {
    throw new KafkaUnsuitable(`kafkajs/src/${path} is not what kafkajs 2.2.4 has there; install exactly that version`)
  }
  return module as T
}

const hasMethods =
  (...names: string[]) =>
  (module: unknown): boolean =>
    typeof module === 'function' && names.every((name) => typeof module.prototype?.[name] === 'function')

export const EncoderClass = internal<new () => Encoder>(
  'protocol/encoder',
  hasMethods(
    'writeUVarIntString',
    'writeUVarIntArray',
    'writeUVarIntBytes',
    'writeBoolean',
    'writeBufferInternal',
    'writeInt64',
  ),
)

export const DecoderClass = internal<new (payload: Buffer) => Decoder>(
  'protocol/decoder',
  hasMethods('readUVarIntString', 'readUVarIntArray', 'readTaggedFields', 'readString', 'readArray'),
)

type ErrorCode = { type: string; code: number; retriable: boolean; message: string }
type Errors = { errorCodes: ErrorCode[]; createErrorFromCode: (code: number) => Error }

const errors = internal<Errors>('protocol/error', (module) => {
  const { errorCodes, createErrorFromCode } = module as Partial<Errors>
  return Array.isArray(errorCodes) && typeof createErrorFromCode === 'function'
})

// What came to the protocol after kafkajs was made.
const producerFenced = { type: 'PRODUCER_FENCED', code: 90, retriable: false, message: 'A newer producer has this id' }
if (!errors.errorCodes.some(({ code }) => code === producerFenced.code)) errors.errorCodes.push(producerFenced)

export const { createErrorFromCode } = errors

type Response<T> = ProtocolRequest<T>['response']

const isResponse = (module: unknown): boolean => {
  const { decode, parse } = module as Partial<Response<unknown>>
  return typeof decode === 'function' && typeof parse === 'function'
}

/** How replies to Fetch are read, in the one version that brokers since 2.3 and kafkajs agree on. */
export const fetchResponse = (): Response<unknown> => internal('protocol/requests/fetch/v11/response', isResponse)

/** How replies to Produce are read; `parse` throws where a partition has an error. */
export const produceResponse = (): Response<unknown> => internal('protocol/requests/produce/v7/response', isResponse)

// What `InternalConnection` is: connections are taken from their pools.
internal('network/connection', hasMethods('isAuthenticated', 'nextCorrelationId'))

export const requestQueueClass = (): RequestQueueClass =>
  internal('network/requestQueue', hasMethods('scheduleCheckPendingRequests'))

/** How long what is known of topics and leaders is taken to be true; a refusal by a broker is to end it before. */
const METADATA_MAX_AGE_MS = 300_000

/** A connection to the brokers of its own, with the addresses and credentials of `kafka`. */
export const clusterOf = (kafka: Kafka): InternalCluster => {
  const symbol = Object.getOwnPropertySymbols(kafka).find((s) => s.description === 'private:Kafka:createCluster')
  const create = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol]
  if (typeof create !== 'function')
    throw new KafkaUnsuitable('kafkajs hides its cluster; install exactly version 2.2.4')
  return create({ allowAutoTopicCreation: false, metadataMaxAge: METADATA_MAX_AGE_MS }) as InternalCluster
}
