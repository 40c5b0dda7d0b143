import type { Schema, Type, types } from 'avsc'
import { ConfigInvalid } from '../../errors.ts'
import { type AvroRecord, typeOf } from './avro-schemas.ts'

/** The fields that the prediction writer writes, in their order. */
const WRITTEN_FIELDS = [
  'event_id: string',
  'source_partition: null | int',
  'source_offset: null | long',
  'event_time: long',
  'scored_at: long',
  'prediction: string',
  'class_index: null | int',
  'confidence: null | double',
  'probabilities: array of double',
  'value: null | double',
  'model_version: string',
  'model_role: enum',
  'features: array of null | double | string',
] as const

const shapeOf = (type: Type): string => {
  if (type.typeName.startsWith('union')) return (type as types.UnwrappedUnionType).types.map(shapeOf).join(' | ')
  if (type.typeName === 'array') return `array of ${shapeOf((type as types.ArrayType).itemsType)}`
  return type.typeName
}

/**
 * Checks that a schema is the one that the prediction writer knows by heart.
 * @returns the names of the roles in the order of their numbers
 * @throws ConfigInvalid
 */
export const rolesOfPredictionSchema = (schema: AvroRecord): readonly string[] => {
  const { fields } = typeOf(schema as Schema) as types.RecordType
  const found = fields.map(({ name, type }) => `${name}: ${shapeOf(type)}`)
  for (let i = 0; i < Math.max(found.length, WRITTEN_FIELDS.length); i++) {
    if (found[i] !== WRITTEN_FIELDS[i]) {
      throw new ConfigInvalid(
        `the schema of predictions has the field "${found[i] ?? 'none'}" where "${WRITTEN_FIELDS[i] ?? 'none'}" is written; ` +
          'a change of prediction.avsc needs a change of the prediction writer',
      )
    }
  }
  return fields.flatMap(({ name, type }) => (name === 'model_role' ? (type as types.EnumType).symbols : []))
}
