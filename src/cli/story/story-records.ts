import type { FeatureEvent } from '../../events.ts'
import type { FeatureSpec } from '../../features/feature-spec.ts'
import type { StoryEvent } from './play.ts'

/** The message of a story event. */
export const toFeatureEvent = ({ id, eventTime, values }: StoryEvent): FeatureEvent => ({
  event_id: id,
  event_time: eventTime,
  ...values,
})

const badRecordKinds = ['random bytes', 'unknown schema id', 'missing feature', 'wrong value'] as const

/** The event with NaN for a number; as JSON with a number for a category where there is no number. */
const wrongValue = (
  example: FeatureEvent,
  features: readonly FeatureSpec[],
  encode: (event: FeatureEvent) => Uint8Array,
): Uint8Array => {
  const number = features.find(({ type, name }) => type === 'double' && typeof example[name] === 'number')
  if (number !== undefined) return encode({ ...example, [number.name]: Number.NaN })
  return Buffer.from(JSON.stringify({ ...example, [features[0]?.name ?? '']: 0 }))
}

/**
 * The value of a record that cannot be scored.
 * @param kind turns through the ways to be wrong
 * @param example a good event, to be spoilt
 * @param features those of the task; where none of them has to be there, JSON is cut short instead of leaving one out
 * @param encode the codec of feature events
 */
export const badValue = (
  kind: number,
  example: FeatureEvent,
  features: readonly FeatureSpec[],
  encode: (event: FeatureEvent) => Uint8Array,
): Uint8Array => {
  switch (badRecordKinds[kind % badRecordKinds.length]) {
    case 'random bytes':
      return Uint8Array.from([0xde, 0xad, 0xbe, 0xef, 0x00, 0xff, 0x7f])
    case 'unknown schema id': {
      const value = Uint8Array.from(encode(example))
      // Byte 0 is the magic byte, the next four are the id.
      value.set([0x7f, 0xff, 0xff, 0xf0], 1)
      return value
    }
    case 'missing feature': {
      const required = features.find(({ nullable }) => !nullable)
      if (required === undefined) return Buffer.from(JSON.stringify(example).slice(0, -1))
      const { [required.name]: _, ...rest } = example
      return Buffer.from(JSON.stringify(rest))
    }
    default:
      return wrongValue(example, features, encode)
  }
}
