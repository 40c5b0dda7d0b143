import { NetworkError, ResponseError } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { KafkaUnavailable, KafkaUnsuitable } from '../../../../src/kafka/kafka-errors.ts'
import { mayPass } from '../../../../src/kafka/platformatic/patience.ts'
import {
  asUnavailable,
  BrokerRefused,
  errorName,
  isCoordinatorMoved,
  isFenced,
  protocolErrorType,
  replyOf,
} from '../../../../src/kafka/platformatic/protocol-errors.ts'

/** As the library throws it where a part of a reply has an error code. */
const refusal = (code: number, reply: unknown = {}): Error => new ResponseError(3, 9, { '/': [code, null] }, reply)

describe('errors of the protocol', () => {
  test('are found by name wherever they are', () => {
    expect(protocolErrorType(refusal(16))).toBe('NOT_COORDINATOR')
    expect(protocolErrorType(new Error('outer', { cause: refusal(47) }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(protocolErrorType(new BrokerRefused('the commit', 51))).toBe('CONCURRENT_TRANSACTIONS')
    expect(protocolErrorType(new NetworkError('Connection closed'))).toBeUndefined()
    expect(protocolErrorType('text')).toBeUndefined()
  })

  test('of codes that are not known yet have a name too', () => {
    expect(errorName(29_999)).toBe('UNKNOWN_SERVER_ERROR_29999')
    expect(new BrokerRefused('x', 29_999).retryable).toBe(false)
  })

  test('end with themselves in a circle of causes', () => {
    const [one, two] = [new Error('one'), new Error('two')]
    one.cause = two
    two.cause = one
    expect(protocolErrorType(one)).toBeUndefined()
  })

  test('leave the reply to who wants to look at its parts', async () => {
    const reply = { topics: [] }
    expect(await replyOf(Promise.reject(refusal(3, reply)))).toBe(reply)
    const closed = new NetworkError('Connection closed')
    await expect(replyOf(Promise.reject(closed))).rejects.toBe(closed)
  })

  test('tell a fenced producer from a coordinator that moved', () => {
    for (const code of [47, 90, 49]) expect(isFenced(refusal(code))).toBe(true)
    for (const code of [14, 15, 16]) {
      expect(isCoordinatorMoved(refusal(code))).toBe(true)
      expect(isFenced(refusal(code))).toBe(false)
    }
  })

  test('pass, or do not', () => {
    expect(mayPass(refusal(6))).toBe(true)
    expect(mayPass(refusal(29))).toBe(false)
    expect(mayPass(new NetworkError('Connection closed'))).toBe(true)
    expect(mayPass(new KafkaUnavailable('no broker answers'))).toBe(true)
    expect(mayPass(new KafkaUnavailable('closed', { retryable: false }))).toBe(false)
    expect(mayPass(new KafkaUnsuitable('no topic'))).toBe(false)
    expect(mayPass(new TypeError('a mistake of ours'))).toBe(false)
  })

  test('become errors of this house', () => {
    expect(asUnavailable('the lag cannot be read', refusal(6))).toMatchObject({
      code: 'KAFKA_UNAVAILABLE',
      retryable: true,
    })
    expect(asUnavailable('x', refusal(50)).retryable).toBe(false)
    expect(asUnavailable('x', new NetworkError('closed')).retryable).toBe(true)
    const own = new KafkaUnsuitable('no topic')
    expect(asUnavailable('x', own)).toBe(own)
  })
})
