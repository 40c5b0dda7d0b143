import { expect, test } from 'vitest'
import {
  type AvroRecord,
  type EventFeature,
  featureEventSchema,
  lenientEventSchema,
  readEventSchemas,
  typeOf,
} from '../../../../src/kafka/serde/avro-schemas.ts'

const base: AvroRecord = {
  type: 'record',
  name: 'FeatureEvent',
  namespace: 'driftline',
  fields: [{ name: 'event_id', type: 'string' }],
}
const features: EventFeature[] = [
  { name: 'height', type: 'double', nullable: false, unit: 'cm' },
  { name: 'weight', type: 'double', nullable: true },
  { name: 'colour', type: 'category', nullable: false },
  { name: 'shop', type: 'category', nullable: true },
]

test('adds one field per feature, in order, after the common ones', () => {
  expect(featureEventSchema(base, features, 'boxes')).toEqual({
    type: 'record',
    name: 'FeatureEvent',
    namespace: 'driftline.boxes',
    fields: [
      { name: 'event_id', type: 'string' },
      { name: 'height', type: 'double', doc: 'In cm.' },
      { name: 'weight', type: ['null', 'double'], default: null },
      { name: 'colour', type: 'string' },
      { name: 'shop', type: ['null', 'string'], default: null },
    ],
  })
  expect(base.fields).toHaveLength(1)
})

test('the lenient schema reads what lacks a feature, or writes it as another number', () => {
  const writer = typeOf({
    type: 'record',
    name: 'FeatureEvent',
    namespace: 'elsewhere',
    fields: [
      { name: 'event_id', type: 'string' },
      { name: 'weight', type: 'int' },
      { name: 'shop', type: 'string' },
    ],
  })
  const reader = typeOf(lenientEventSchema(base, features, 'boxes') as Parameters<typeof typeOf>[0])
  const resolver = reader.createResolver(writer, { ignoreNamespaces: true })
  const event = reader.fromBuffer(writer.toBuffer({ event_id: 'a', weight: 3, shop: 'north' }), resolver)
  expect({ ...event }).toEqual({ event_id: 'a', height: null, weight: 3, colour: null, shop: 'north' })
})

test('a prediction of before numbers and categories reads as one of today', async () => {
  const { prediction } = await readEventSchemas(new URL('../../../../schemas', import.meta.url).pathname)
  const before: Record<string, unknown> = {
    class_index: 'int',
    confidence: 'double',
    features: { type: 'array', items: ['null', 'double'] },
  }
  const fields = prediction.fields
    .filter(({ name }) => name !== 'value')
    .map(({ name, type }) => ({ name, type: before[name] ?? type }))
  const writer = typeOf({ ...prediction, fields } as Parameters<typeof typeOf>[0])
  const reader = typeOf(prediction as Parameters<typeof typeOf>[0])
  const old = {
    event_id: 'e',
    source_partition: 1,
    source_offset: 2,
    event_time: 3,
    scored_at: 4,
    prediction: 'a',
    class_index: 0,
    confidence: 0.75,
    probabilities: [0.75, 0.25],
    model_version: '1',
    model_role: 'champion',
    features: [1.5, null],
  }
  const read = reader.fromBuffer(writer.toBuffer(old), reader.createResolver(writer))
  expect({ ...read }).toEqual({ ...old, value: null })
})

test('says which file cannot be read', async () => {
  await expect(readEventSchemas('/nowhere')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
