import { expect, test } from 'vitest'
import { isFenced, protocolErrorType, rebalanceError } from '../../../../src/kafka/kafkajs/protocol-errors.ts'

const protocol = (type: string): Error => Object.assign(new Error(type), { type })
const wrapped = (cause: unknown): Error => new Error('gave up', { cause: new Error('retried', { cause }) })

test("finds Kafka's name of an error however often it was wrapped", () => {
  expect(protocolErrorType(wrapped(protocol('MESSAGE_TOO_LARGE')))).toBe('MESSAGE_TOO_LARGE')
  expect(protocolErrorType(wrapped('text'))).toBeUndefined()
  expect(isFenced(wrapped(protocol('INVALID_PRODUCER_EPOCH')))).toBe(true)
  expect(isFenced(wrapped(protocol('REQUEST_TIMED_OUT')))).toBe(false)
})

test('unwraps what tells kafkajs to join again', () => {
  const error = protocol('ILLEGAL_GENERATION')
  expect(rebalanceError(wrapped(error))).toBe(error)
  expect(rebalanceError(wrapped(protocol('INVALID_PRODUCER_EPOCH')))).toBeUndefined()
})

test('a coordinator that moved is no reason to join again: it may be that of a transaction', () => {
  expect(rebalanceError(protocol('NOT_COORDINATOR_FOR_GROUP'))).toBeUndefined()
})

test('an error that is its own cause ends the search', () => {
  const error = new Error('round')
  error.cause = error
  expect(protocolErrorType(error)).toBeUndefined()
})
