import { describe, expect, test } from 'vitest'
import { accessDenied } from '../../../src/kafka/access-denied.ts'
import { KafkaAccessDenied, KafkaUnavailable } from '../../../src/kafka/kafka-errors.ts'

const withCode = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code })
const within = (cause: unknown): Error => new Error('Connection to 127.0.0.1:9093 failed.', { cause })

describe('accessDenied', () => {
  test.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  ])('knows %s as a matter of certificates', (code) => {
    const error = accessDenied('b:9093 cannot be used', within(withCode(code)))
    expect(error).toMatchObject({ code: 'KAFKA_ACCESS_DENIED', retryable: false })
    expect(error?.message).toContain('b:9093')
    expect(error?.message).toContain('KAFKA_SSL_CA_FILE')
  })

  test('knows refused credentials of both clients', () => {
    const ofKafkajs = Object.assign(new Error('no'), { name: 'KafkaJSSASLAuthenticationError' })
    for (const cause of [withCode('PLT_KFK_AUTHENTICATION'), ofKafkajs]) {
      expect(accessDenied('x', within(cause))?.message).toContain('KAFKA_SASL_PASSWORD')
    }
  })

  test('knows that one side speaks TLS and the other does not', () => {
    const late = withCode(
      'ECONNRESET',
      'Client network socket disconnected before secure TLS connection was established',
    )
    expect(accessDenied('x', within(late))?.message).toContain('KAFKA_SECURITY_PROTOCOL')
    expect(accessDenied('x', new Error('Broker requires TLS.'))?.message).toContain('KAFKA_SECURITY_PROTOCOL')
  })

  test('finds the cause among many', () => {
    const many = new AggregateError([new Error('one'), withCode('PLT_KFK_AUTHENTICATION')], 'several failed')
    expect(accessDenied('x', within(many))).toBeInstanceOf(KafkaAccessDenied)
  })

  test('says nothing of a broker that is away', () => {
    expect(accessDenied('x', within(withCode('ECONNREFUSED')))).toBeUndefined()
    expect(accessDenied('x', within(withCode('ECONNRESET', 'read ECONNRESET')))).toBeUndefined()
    expect(accessDenied('x', 'not even an error')).toBeUndefined()
  })

  test('leaves a token source that is away to come back', () => {
    const cause = new KafkaUnavailable('no token could be had')
    const login = Object.assign(new Error('The provider threw an error.', { cause }), {
      code: 'PLT_KFK_AUTHENTICATION',
    })
    expect(accessDenied('x', login)).toBeUndefined()
  })

  test('keeps what was said before', () => {
    const before = new KafkaAccessDenied('the endpoint gave no token')
    expect(accessDenied('x', within(before))).toBe(before)
  })
})
