import type { Socket } from 'node:net'
import { Reader, type ResponseParser, type Writer } from '@platformatic/kafka'
import { KafkaUnavailable } from '../kafka-errors.ts'
import { freeBytes } from '../wire/free-bytes.ts'

export type ExchangeRequest<Reply> = {
  readonly apiKey: number
  readonly apiVersion: number
  /** Its bytes are not copied: they have to stay as they are until the request is settled. */
  readonly payload: () => Writer
  readonly parse: ResponseParser<Reply>
  /** Whether the header of the request, and that of the reply, ends with tagged fields. */
  readonly taggedRequest: boolean
  readonly taggedReply: boolean
  /** What `parse` gives holds no bytes of the reply, which are let go after it. */
  readonly copiesReply: boolean
}

/** Requests on one socket, in the order of the calls, and their replies, which come in the same order. */
export type Exchange = {
  /** @throws KafkaUnavailable where the connection ends before the reply; what `parse` throws */
  readonly request: <Reply>(request: ExchangeRequest<Reply>) => Promise<Reply>
  /** Requests that have no reply yet. */
  readonly waiting: () => number
}

type Waiting = {
  readonly correlationId: number
  readonly answer: (reply: Buffer) => void
  readonly fail: (error: Error) => void
}

const SIZE_BYTES = 4
const CORRELATION_BYTES = 4
/** Size, key, version, correlation, and the length of the client's name. */
const HEADER_BYTES = 14
const MAX_CORRELATION = 0x7fff_ffff
/** Pieces of this size go to the socket as they are; what is smaller is put together first. */
const LARGE_BYTES = 16 << 10
/** Far more than is ever asked for: whatever says so is no broker. */
const MAX_REPLY_BYTES = 256 << 20

const together = (pieces: readonly Buffer[]): Buffer => (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))

/**
 * Takes over a socket whose connection stands. The library would copy every request into one piece, and leave what it
 * read and wrote to the collector: with records in them that is most of a worker's memory, and fresh memory for each
 * costs more time than anything else on the way.
 * @param options.requestTimeoutMs a request that has no reply after this time fails, and breaks the connection
 */
export const createExchange = (
  socket: Socket,
  options: { readonly clientId: string; readonly requestTimeoutMs: number },
): Exchange => {
  const clientId = Buffer.from(options.clientId)
  const waiting: Waiting[] = []
  const size = Buffer.alloc(SIZE_BYTES)
  let sizeFilled = 0
  let reply: Buffer | null = null
  let replyFilled = 0
  let lastCorrelationId = 0
  let ended: KafkaUnavailable | undefined

  const end = (why: string, cause?: unknown): void => {
    if (ended !== undefined) return
    ended = new KafkaUnavailable(why, { cause })
    // First of all: what waits to be written must not go out with other bytes, once its owner uses them again.
    socket.destroy()
    for (const { fail } of waiting.splice(0)) fail(ended)
  }

  const write = (pieces: readonly Buffer[]): void => {
    let small: Buffer[] = []
    socket.cork()
    for (const piece of pieces) {
      if (piece.length < LARGE_BYTES) {
        small.push(piece)
        continue
      }
      if (small.length > 0) socket.write(together(small))
      small = []
      socket.write(piece)
    }
    if (small.length > 0) socket.write(together(small))
    socket.uncork()
  }

  const headerOf = (apiKey: number, apiVersion: number, tagged: boolean, payloadBytes: number): Buffer => {
    const header = Buffer.alloc(HEADER_BYTES + clientId.length + (tagged ? 1 : 0))
    header.writeInt32BE(header.length - SIZE_BYTES + payloadBytes, 0)
    header.writeInt16BE(apiKey, 4)
    header.writeInt16BE(apiVersion, 6)
    header.writeInt32BE(lastCorrelationId, 8)
    header.writeInt16BE(clientId.length, 12)
    clientId.copy(header, HEADER_BYTES)
    return header
  }

  const request = async <Reply>(asked: ExchangeRequest<Reply>): Promise<Reply> => {
    if (ended !== undefined) throw ended
    const { apiKey, apiVersion, payload, parse, taggedRequest, taggedReply, copiesReply } = asked
    const body = payload()
    lastCorrelationId = lastCorrelationId === MAX_CORRELATION ? 0 : lastCorrelationId + 1
    const correlationId = lastCorrelationId
    const answered = Promise.withResolvers<Buffer>()
    waiting.push({ correlationId, answer: answered.resolve, fail: answered.reject })
    const timeoutMs = options.requestTimeoutMs
    const late = setTimeout(() => end(`a request timed out: no reply came within ${timeoutMs} ms`), timeoutMs)
    try {
      write([headerOf(apiKey, apiVersion, taggedRequest, body.length), ...body.buffers])
      const bytes = await answered.promise
      const reader = Reader.from(bytes)
      reader.position = CORRELATION_BYTES + (taggedReply ? 1 : 0)
      const parsed = await parse(correlationId, apiKey, apiVersion, reader)
      if (copiesReply) freeBytes(bytes)
      return parsed
    } finally {
      clearTimeout(late)
    }
  }

  const complete = (bytes: Buffer): void => {
    const next = waiting.shift()
    const correlationId = bytes.readInt32BE(0)
    if (next?.correlationId === correlationId) next.answer(bytes)
    else {
      if (next !== undefined) waiting.unshift(next)
      end(`a reply came that was not asked for (${correlationId})`)
    }
  }

  const read = (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length && ended === undefined; ) {
      if (reply === null) {
        const copied = chunk.copy(size, sizeFilled, at)
        at += copied
        sizeFilled += copied
        if (sizeFilled < SIZE_BYTES) return
        const length = size.readInt32BE(0)
        if (length < CORRELATION_BYTES || length > MAX_REPLY_BYTES) {
          end(`a reply of ${length} bytes cannot be`)
          return
        }
        reply = length < LARGE_BYTES ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length)
        replyFilled = 0
      }
      const copied = chunk.copy(reply, replyFilled, at)
      at += copied
      replyFilled += copied
      if (replyFilled < reply.length) return
      const whole = reply
      reply = null
      sizeFilled = 0
      complete(whole)
    }
  }

  let broken: Error | undefined
  socket.on('error', (error) => {
    broken ??= error
  })
  socket.once('close', () => end(`the connection ended${broken === undefined ? '' : `: ${broken.message}`}`, broken))
  socket.removeAllListeners('data')
  socket.on('data', (chunk) => {
    read(chunk)
    freeBytes(chunk)
  })

  return { request, waiting: () => waiting.length }
}
