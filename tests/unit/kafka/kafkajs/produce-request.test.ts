import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { EncoderClass, type InternalBroker, type ProtocolRequest } from '../../../../src/kafka/kafkajs/internals.ts'
import { produceTo } from '../../../../src/kafka/kafkajs/produce-request.ts'
import type { EncodedBatch } from '../../../../src/kafka/wire/produce-protocol.ts'

const require = createRequire(import.meta.url)
// How kafkajs puts its own requests together, which has no types.
const createRequest = require('kafkajs/src/protocol/request') as (request: {
  correlationId: number
  clientId: string
  request: ProtocolRequest<unknown>['request']
}) => Promise<{ buffer: Buffer }>

const LEADER_NOT_AVAILABLE = 5

/** A reply to Produce, version 7, of one partition. */
const replyWith = (errorCode: number, throttleMs: number): Buffer =>
  new EncoderClass()
    .writeInt32(1)
    .writeString('t')
    .writeInt32(1)
    .writeInt32(0)
    .writeInt16(errorCode)
    .writeInt64('5')
    .writeInt64('-1')
    .writeInt64('0')
    .writeInt32(throttleMs).buffer

/** A broker that says this to every request that comes to its socket. */
const brokerWith = ({ errorCode = 0, throttleMs = 0, sasl = null as unknown, authenticated = false } = {}) => {
  const written: Buffer[] = []
  const throttled: unknown[] = []
  const sent: ProtocolRequest<unknown>[] = []
  const connection = {
    clientId: 'client',
    sasl,
    isAuthenticated: () => authenticated,
    nextCorrelationId: () => 42,
    socket: { cork: () => undefined, uncork: () => undefined, write: (bytes: Buffer) => written.push(bytes) },
    requestQueue: {
      push: ({ entry, sendRequest }: { entry: { resolve: (reply: unknown) => void }; sendRequest: () => void }) => {
        sendRequest()
        entry.resolve({ payload: replyWith(errorCode, throttleMs) })
      },
      maybeThrottle: (ms: unknown) => throttled.push(ms),
    },
  }
  const connectionPool = {
    getConnection: async () => connection,
    send: async (request: ProtocolRequest<unknown>) => sent.push(request),
  }
  return { written, throttled, sent, broker: { connectionPool } as unknown as InternalBroker }
}

const batch = (topic: string, partition: number, bytes: string): EncodedBatch => {
  return { topic, partition, records: 1, baseSequence: 0, bytes: Buffer.from(bytes) }
}
const batches = [batch('t', 0, 'first'), batch('u', 3, 'second'), batch('t', 1, 'x'.repeat(3000))]
const options = { transactionalId: 'id', timeoutMs: 1000, batches }

test('the request is the one that kafkajs would send, with the batches where they lie', async () => {
  const direct = brokerWith({ throttleMs: 7 })
  await produceTo(direct.broker, options)
  expect(direct.throttled).toEqual([7])
  for (const { bytes } of batches) expect(direct.written.some((piece) => piece === bytes)).toBe(true)

  const slow = brokerWith({ sasl: { mechanism: 'plain' } })
  await produceTo(slow.broker, options)
  const { request } = slow.sent[0]!
  const whole = await createRequest({ correlationId: 42, clientId: 'client', request })
  expect(Buffer.concat(direct.written)).toEqual(Buffer.from(whole.buffer))
})

test('a connection that has to be authenticated first is left to kafkajs', async () => {
  const fresh = brokerWith({ sasl: { mechanism: 'plain' } })
  await produceTo(fresh.broker, options)
  expect([fresh.written.length, fresh.sent.length]).toEqual([0, 1])
  const known = brokerWith({ sasl: { mechanism: 'plain' }, authenticated: true })
  await produceTo(known.broker, options)
  expect([known.written.length, known.sent.length]).toEqual([6, 0])
})

test('what the broker refuses is thrown', async () => {
  const { broker } = brokerWith({ errorCode: LEADER_NOT_AVAILABLE })
  await expect(produceTo(broker, options)).rejects.toMatchObject({ type: 'LEADER_NOT_AVAILABLE' })
})
