import type { EncodedBatch } from '../wire/produce-protocol.ts'
import {
  type Encoder,
  EncoderClass,
  type InternalBroker,
  type InternalConnection,
  type ProtocolRequest,
  produceResponse,
} from './internals.ts'

const PRODUCE = 0
/** The newest version that kafkajs reads the reply of. */
const VERSION = 7
const ACKS_ALL = -1

export type ProduceOptions = {
  readonly transactionalId: string
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number
  /** At most one of a partition; already encoded, which kafkajs' own request cannot take. */
  readonly batches: readonly EncodedBatch[]
}

/** The request from after its header, in pieces: what stands between the batches is encoded, they are as they are. */
const piecesOf = (start: Encoder, { transactionalId, timeoutMs, batches }: ProduceOptions): Buffer[] => {
  // A broker takes a topic that stands there twice only once.
  const topics = Map.groupBy(batches, ({ topic }) => topic)
  const pieces: Buffer[] = []
  let encoder = start.writeString(transactionalId).writeInt16(ACKS_ALL).writeInt32(timeoutMs).writeInt32(topics.size)
  for (const [topic, own] of topics) {
    encoder.writeString(topic).writeInt32(own.length)
    for (const { partition, bytes } of own) {
      pieces.push(encoder.writeInt32(partition).writeInt32(bytes.length).buffer, bytes)
      encoder = new EncoderClass()
    }
  }
  return pieces
}

const produceRequest = (options: ProduceOptions): ProtocolRequest<unknown> => ({
  request: {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    apiName: 'Produce',
    encode: async () => {
      const encoder = new EncoderClass()
      for (const piece of piecesOf(new EncoderClass(), options)) encoder.writeBufferInternal(piece)
      return encoder
    },
  },
  response: produceResponse(),
  logResponseError: false,
})

/** Puts the batches on the wire from where they lie. */
const sendPieces = async (connection: InternalConnection, options: ProduceOptions): Promise<void> => {
  const correlationId = connection.nextCorrelationId()
  const start = new EncoderClass().writeInt32(0).writeInt16(PRODUCE).writeInt16(VERSION).writeInt32(correlationId)
  const pieces = piecesOf(start.writeString(connection.clientId), options)
  // Of what follows it.
  pieces[0]!.writeInt32BE(pieces.reduce((sum, { length }) => sum + length, -4))
  const { payload } = await new Promise<{ payload: Buffer }>((resolve, reject) => {
    connection.requestQueue.push({
      entry: { apiKey: PRODUCE, apiName: 'Produce', apiVersion: VERSION, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => {
        const { socket } = connection
        socket.cork()
        for (const piece of pieces) socket.write(piece)
        socket.uncork()
      },
    })
  })
  const response = produceResponse()
  const reply = await response.decode(payload)
  connection.requestQueue.maybeThrottle((reply as { clientSideThrottleTime: number }).clientSideThrottleTime)
  await response.parse(reply)
}

/**
 * Writes batches to partitions that one broker leads. Their bytes must stay as they are until there is a reply, and
 * after a failure for ever: the request may still lie in the socket.
 *
 * kafkajs would copy a request three times, each time into cleared memory of the next power of two: for megabytes
 * of records that, with the collections of garbage that it brings, takes more than everything else that is done here.
 * @throws an error of kafkajs
 */
export const produceTo = async (broker: InternalBroker, options: ProduceOptions): Promise<void> => {
  if (options.batches.length === 0) return
  const connection = await broker.connectionPool.getConnection()
  // The first request of a connection is what authenticates it, and kafkajs knows how.
  if (connection.sasl && !connection.isAuthenticated()) await broker.connectionPool.send(produceRequest(options))
  else await sendPieces(connection, options)
}
