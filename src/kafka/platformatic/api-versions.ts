import type { API } from '@platformatic/kafka'
import { KafkaUnsuitable } from '../kafka-errors.ts'
import type { VersionRange } from '../wire/wire-call.ts'

/** What one broker speaks, as it said when the connection to it was opened. */
export type BrokerVersions = {
  /** The versions of a request that the broker knows; null where it does not know the request. */
  readonly rangeOf: (apiKey: number) => VersionRange | null
  readonly supports: (apiKey: number, version: number) => boolean
  /** The level of a feature of the whole cluster, such as `transaction.version`; 0 where it has none. */
  readonly featureLevel: (name: string) => number
}

export type ApiVersionsReply = {
  readonly apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[]
  readonly finalizedFeatures?: readonly { readonly name: string; readonly maxVersionLevel: number }[]
}

export const brokerVersions = (reply: ApiVersionsReply): BrokerVersions => {
  const ranges = new Map<number, VersionRange>(
    reply.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
  )
  const features = new Map(reply.finalizedFeatures?.map((feature) => [feature.name, feature.maxVersionLevel]))
  return {
    rangeOf: (apiKey) => ranges.get(apiKey) ?? null,
    supports: (apiKey, version) => {
      const range = ranges.get(apiKey)
      return range !== undefined && version >= range.min && version <= range.max
    },
    featureLevel: (name) => features.get(name) ?? 0,
  }
}

/** What is said where a broker is older than this house supports. */
export const tooOld = (what: string): KafkaUnsuitable =>
  new KafkaUnsuitable(`The broker does not know ${what}: Kafka 2.5 or newer is needed`)

/**
 * The first of these versions of a request that the broker knows; name the newest first.
 * @throws KafkaUnsuitable where it knows none of them
 */
export const negotiate = <Arguments extends unknown[], Reply>(
  versions: BrokerVersions,
  what: string,
  apis: readonly API<Arguments, Reply>[],
): API<Arguments, Reply> => {
  for (const api of apis) if (versions.supports(api.key, api.version)) return api
  throw tooOld(what)
}
