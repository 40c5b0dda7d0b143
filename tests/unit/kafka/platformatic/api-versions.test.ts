import type { API } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { brokerVersions, negotiate } from '../../../../src/kafka/platformatic/api-versions.ts'

const versions = brokerVersions({
  apiKeys: [{ apiKey: 3, minVersion: 1, maxVersion: 11 }],
  finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2 }],
})

const api = (key: number, version: number) => ({ key, version }) as API<[], string>

describe('what a broker speaks', () => {
  test('is bounded on both sides', () => {
    expect([0, 1, 11, 12].map((version) => versions.supports(3, version))).toEqual([false, true, true, false])
    expect([versions.rangeOf(3), versions.rangeOf(4)]).toEqual([{ min: 1, max: 11 }, null])
    expect(versions.supports(4, 0)).toBe(false)
  })

  test('holds the features of the cluster', () => {
    expect(versions.featureLevel('transaction.version')).toBe(2)
    expect(versions.featureLevel('group.version')).toBe(0)
    expect(brokerVersions({ apiKeys: [] }).featureLevel('transaction.version')).toBe(0)
  })

  test('is met with the first version of ours that it knows', () => {
    expect(negotiate(versions, 'Metadata', [api(3, 12), api(3, 9), api(3, 1)]).version).toBe(9)
  })

  test('is refused where it knows none of ours', () => {
    expect(() => negotiate(versions, 'Metadata 12', [api(3, 12)])).toThrow('does not know Metadata 12: Kafka 2.5')
    expect(() => negotiate(versions, 'Other', [api(4, 0)])).toThrow(
      expect.objectContaining({ code: 'KAFKA_UNSUITABLE' }),
    )
  })
})
