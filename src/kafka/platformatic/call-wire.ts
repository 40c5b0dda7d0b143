import { commonVersion, type VersionRange, type WireCall } from '../wire/wire-call.ts'
import { tooOld } from './api-versions.ts'
import type { BrokerLink } from './connections.ts'

/**
 * Sends one of our own requests in the newest version of `range` that the broker knows.
 * @param what named where the broker knows none of them
 * @throws KafkaUnsuitable, and what the connection throws
 */
export const callWire = async <Reply>(
  link: BrokerLink,
  what: string,
  range: VersionRange,
  make: (version: number) => WireCall<Reply>,
): Promise<Reply> => {
  const { apiKey } = make(range.max)
  const brokers = link.versions.rangeOf(apiKey)
  const version = brokers === null ? null : commonVersion(range, brokers)
  if (version === null) throw tooOld(what)
  return await link.request(make(version))
}
