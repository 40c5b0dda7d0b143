import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Writer } from '@platformatic/kafka'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createExchange, type ExchangeRequest } from '../../../../src/kafka/platformatic/exchange.ts'

const TIMEOUT_MS = 1000
const KEY = 17
const VERSION = 4

/** A socket whose other end is the test. */
const createBed = () => {
  const written: Buffer[] = []
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk)
      done()
    },
  })
  const exchange = createExchange(socket as unknown as Socket, { clientId: 'me', requestTimeoutMs: TIMEOUT_MS })
  return {
    ...{ socket, written, exchange },
    /** Bytes that come from the broker, each piece with memory of its own. */
    receive: (...pieces: Uint8Array[]): void => {
      for (const piece of pieces) {
        const chunk = Buffer.allocUnsafeSlow(piece.length)
        chunk.set(piece)
        socket.push(chunk)
      }
    },
  }
}

const numberOf = (text: string, more: Partial<ExchangeRequest<string>> = {}): ExchangeRequest<string> => ({
  ...{ apiKey: KEY, apiVersion: VERSION, taggedRequest: false, taggedReply: false, copiesReply: false },
  payload: () => Writer.create().appendString(text, false),
  parse: (_correlationId, _apiKey, _apiVersion, reader) => reader.readString(false),
  ...more,
})

const replyTo = (correlationId: number, text: string, tagged = false): Buffer => {
  const writer = Writer.create().appendInt32(correlationId)
  if (tagged) writer.appendTaggedFields()
  return writer.appendString(text, false).prependLength().buffer
}

const correlationIdsOf = (written: readonly Buffer[]): number[] => {
  const bytes = Buffer.concat(written)
  const ids: number[] = []
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) ids.push(bytes.readInt32BE(at + 8))
  return ids
}

const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an exchange', () => {
  test('writes the header that brokers know, and the payload behind it', async () => {
    const { exchange, written, receive } = createBed()
    const answer = exchange.request(numberOf('question', { taggedRequest: true, taggedReply: true }))
    const bytes = Buffer.concat(written)
    expect(bytes.readInt32BE(0)).toBe(bytes.length - 4)
    expect([bytes.readInt16BE(4), bytes.readInt16BE(6)]).toEqual([KEY, VERSION])
    expect(bytes.toString('latin1', 12)).toBe('\0\x02me\0\0\x08question')
    receive(replyTo(bytes.readInt32BE(8), 'answer', true))
    expect(await answer).toBe('answer')
    expect(exchange.waiting()).toBe(0)
  })

  test('reads replies however they are cut into pieces', async () => {
    for (const size of [1, 3, 7, 1000]) {
      const { exchange, written, receive } = createBed()
      const texts = ['', 'one', 'x'.repeat(300), 'y'.repeat(30_000), 'last']
      const answers = texts.map((text) => exchange.request(numberOf(text)))
      expect(exchange.waiting()).toBe(texts.length)
      const ids = correlationIdsOf(written)
      const bytes = Buffer.concat(texts.map((text, i) => replyTo(ids[i]!, text)))
      for (let at = 0; at < bytes.length; at += size) receive(bytes.subarray(at, at + size))
      expect(await Promise.all(answers)).toEqual(texts)
    }
  })

  test('does not copy what is large', async () => {
    const { exchange, written, receive } = createBed()
    const large = Buffer.alloc(100_000, 1)
    const answer = exchange.request(numberOf('', { payload: () => Writer.create().appendInt32(7).append(large) }))
    expect(written.some((piece) => piece === large)).toBe(true)
    expect(Buffer.concat(written).readInt32BE(0)).toBe(Buffer.concat(written).length - 4)
    receive(replyTo(correlationIdsOf(written)[0]!, 'taken'))
    expect(await answer).toBe('taken')
  })

  test('lets the bytes of a reply go where its reader says that it copies, and keeps them otherwise', async () => {
    for (const copiesReply of [true, false]) {
      const { exchange, written, receive } = createBed()
      let seen: Buffer = Buffer.alloc(0)
      const asked = exchange.request(
        numberOf('', {
          copiesReply,
          parse: (_correlationId, _apiKey, _apiVersion, reader) => {
            seen = reader.buffer.slice(reader.position)
            return 'read'
          },
        }),
      )
      receive(replyTo(correlationIdsOf(written)[0]!, 'z'.repeat(20_000)))
      await asked
      expect(seen.length).toBe(copiesReply ? 0 : 20_002)
    }
  })

  test('fails all that wait when no reply comes in time, and takes nothing more', async () => {
    const { exchange, socket } = createBed()
    const [first, second] = [settled(exchange.request(numberOf('a'))), settled(exchange.request(numberOf('b')))]
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS - 1)
    expect(socket.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    // Before anybody hears of it: nothing that was not written yet may go out.
    expect(socket.destroyed).toBe(true)
    const gone = { code: 'KAFKA_UNAVAILABLE', retryable: true, message: expect.stringContaining('1000 ms') }
    expect(await first).toMatchObject(gone)
    expect(await second).toMatchObject(gone)
    await expect(exchange.request(numberOf('c'))).rejects.toMatchObject(gone)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('fails what waits when the connection breaks, and says why', async () => {
    const { exchange, socket } = createBed()
    const asked = settled(exchange.request(numberOf('a')))
    socket.destroy(new Error('read ECONNRESET'))
    expect(await asked).toMatchObject({ code: 'KAFKA_UNAVAILABLE', message: 'the connection ended: read ECONNRESET' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([
    ['a reply to another request', (id: number) => replyTo(id + 1, 'for others')],
    ['a reply that cannot be so long', () => Buffer.from('HTTP/1.1 400 Bad Request')],
    ['a reply that cannot be so short', () => Buffer.of(0, 0, 0, 1, 9)],
  ])('breaks the connection over %s', async (_what, bytes) => {
    const { exchange, socket, written, receive } = createBed()
    const asked = settled(exchange.request(numberOf('a')))
    receive(bytes(correlationIdsOf(written)[0]!))
    expect(await asked).toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
    expect(socket.destroyed).toBe(true)
  })

  test('gives the error of a reply that cannot be read to its request alone', async () => {
    const { exchange, written, receive } = createBed()
    const parse = (): string => {
      throw new RangeError('no room')
    }
    const answers = [settled(exchange.request(numberOf('a', { parse }))), exchange.request(numberOf('b'))]
    const [first, second] = correlationIdsOf(written)
    receive(replyTo(first!, 'a'), replyTo(second!, 'b'))
    expect(await answers[0]).toBeInstanceOf(RangeError)
    expect(await answers[1]).toBe('b')
  })
})
