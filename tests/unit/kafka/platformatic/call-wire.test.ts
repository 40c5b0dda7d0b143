import { expect, test } from 'vitest'
import { type ApiVersionsReply, brokerVersions } from '../../../../src/kafka/platformatic/api-versions.ts'
import { callWire } from '../../../../src/kafka/platformatic/call-wire.ts'
import type { BrokerLink } from '../../../../src/kafka/platformatic/connections.ts'
import type { WireCall } from '../../../../src/kafka/wire/wire-call.ts'

const FETCH = 1

/** The version in which a request of ours, spoken in 11 and 12, goes to a broker that knows these. */
const versionFor = async (apiKeys: ApiVersionsReply['apiKeys']): Promise<number> => {
  const link = {
    versions: brokerVersions({ apiKeys }),
    request: async (call: WireCall<unknown>) => call.apiVersion,
  } as unknown as BrokerLink
  return callWire(link, 'Fetch 11', { min: 11, max: 12 }, (apiVersion) => {
    return { apiKey: FETCH, apiVersion } as WireCall<number>
  })
}

const knows = (minVersion: number, maxVersion: number) => [{ apiKey: FETCH, minVersion, maxVersion }]

test('a request goes out in the newest version that both sides speak', async () => {
  expect(await versionFor(knows(4, 17))).toBe(12)
  expect(await versionFor(knows(0, 11))).toBe(11)
})

test('a broker that knows none of the versions is refused', async () => {
  for (const apiKeys of [knows(0, 10), knows(13, 18), []]) {
    await expect(versionFor(apiKeys)).rejects.toMatchObject({
      code: 'KAFKA_UNSUITABLE',
      message: expect.stringContaining('does not know Fetch 11'),
    })
  }
})
