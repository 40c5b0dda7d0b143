import { describe, expect, test } from 'vitest'
import { AppError, describeError } from '../../src/errors.ts'

const refused = new Error('connect ECONNREFUSED 127.0.0.1:9092')

describe('the description of an error', () => {
  test('has the messages of its causes', () => {
    const lost = new Error('no broker answers', { cause: refused })
    expect(describeError(new AppError('X', 'Kafka cannot be reached', { cause: lost }))).toBe(
      'Kafka cannot be reached (caused by: no broker answers (caused by: connect ECONNREFUSED 127.0.0.1:9092))',
    )
  })

  test('says a cause once that the message tells already', () => {
    const lost = new Error(`no broker answers: ${describeError(refused)}`, { cause: refused })
    expect(describeError(lost)).toBe('no broker answers: connect ECONNREFUSED 127.0.0.1:9092')
    const wrapped = new AppError('X', `Kafka cannot be reached: ${describeError(lost)}`, { cause: lost })
    expect(describeError(wrapped)).toBe(
      'Kafka cannot be reached: no broker answers: connect ECONNREFUSED 127.0.0.1:9092',
    )
  })

  test('keeps what lies deeper than a cause that is told already', () => {
    const lost = new Error('no broker answers', { cause: refused })
    expect(describeError(new Error(`it failed: ${lost.message}`, { cause: lost }))).toBe(
      'it failed: no broker answers (caused by: connect ECONNREFUSED 127.0.0.1:9092)',
    )
    const nested = new Error(`it failed: ${describeError(lost)}`, { cause: lost })
    expect(describeError(nested)).toBe('it failed: no broker answers (caused by: connect ECONNREFUSED 127.0.0.1:9092)')
  })

  test('bears what is no error, has no message, or causes itself', () => {
    expect(describeError('no')).toBe('no')
    expect(describeError(new Error('no', { cause: 7 }))).toBe('no (caused by: 7)')
    expect(describeError(new Error('no', { cause: new AggregateError([]) }))).toBe('no')
    const circular = new Error('no')
    circular.cause = new Error('neither', { cause: circular })
    expect(describeError(circular)).toBe('no (caused by: neither)')
  })
})
