import { describe, expect, test } from 'vitest'
import { AppError } from '../../../../src/errors.ts'
import { KafkaUnavailable } from '../../../../src/kafka/kafka-errors.ts'
import { BrokerRefused } from '../../../../src/kafka/platformatic/protocol-errors.ts'
import { type PartitionPhase, recoveryFrom } from '../../../../src/kafka/platformatic/recovery.ts'

const refused = (code: number) => new BrokerRefused('refused', code)
const NOT_COORDINATOR = 16
const ILLEGAL_GENERATION = 22
const INVALID_PRODUCER_EPOCH = 47
const INVALID_TRANSACTION_TIMEOUT = 50
const PRODUCER_FENCED = 90
const phases: PartitionPhase[] = ['start', 'read', 'process', 'commit']

describe('what follows from a failure of a partition', () => {
  test.each(phases)('in phase %s: a membership in doubt is confirmed first, and is no failure', (phase) => {
    expect(recoveryFrom(phase, refused(ILLEGAL_GENERATION))).toEqual({ kind: 'unconfirmed', counts: false })
  })

  test.each(phases)('in phase %s: whoever is fenced waits until the membership is confirmed', (phase) => {
    expect(recoveryFrom(phase, refused(INVALID_PRODUCER_EPOCH))).toEqual({ kind: 'unconfirmed', counts: true })
    expect(recoveryFrom(phase, refused(PRODUCER_FENCED)).kind).toBe('unconfirmed')
  })

  test('a handler that misses something keeps its records', () => {
    expect(recoveryFrom('process', new AppError('NO_MODEL', 'no model', { retryable: true })).kind).toBe('wait')
    expect(recoveryFrom('process', new AppError('BROKEN', 'broken'))).toEqual({ kind: 'restart', counts: true })
    expect(recoveryFrom('process', new Error('a bug')).kind).toBe('restart')
  })

  test('a start waits for brokers, and not for what they refuse for good', () => {
    expect(recoveryFrom('start', new KafkaUnavailable('nobody answers')).kind).toBe('wait')
    expect(recoveryFrom('start', refused(NOT_COORDINATOR)).kind).toBe('wait')
    const wrapped = new KafkaUnavailable('no id', { cause: refused(INVALID_TRANSACTION_TIMEOUT) })
    expect(recoveryFrom('start', wrapped)).toEqual({ kind: 'restart', counts: true })
    expect(recoveryFrom('start', new Error('a bug')).kind).toBe('restart')
  })

  test('a commit that failed is never just repeated: what became of it is read from the offset', () => {
    expect(recoveryFrom('commit', new KafkaUnavailable('no answer')).kind).toBe('restart')
    expect(recoveryFrom('commit', refused(NOT_COORDINATOR)).kind).toBe('restart')
  })
})
