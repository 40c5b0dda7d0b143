import { type AvroField, type AvroRecord, featureEventSchema, typeOf } from '../../../src/kafka/serde/avro-schemas.ts'
import { HEADER_BYTES, writeHeader } from '../../../src/kafka/serde/wire-format.ts'
import { eventSchemas } from '../sample-event-schemas.ts'

/** Whose schema is not the task's own: one that has not been updated yet, or one that is ahead. */
export type ForeignKind = 'older' | 'newer'

/** An older schema has shorter numbers in another order; a newer one has fields that the task does not know yet. */
const changed = (kind: ForeignKind, schema: AvroRecord): AvroRecord => {
  if (kind === 'older') {
    const shorter = (field: AvroField): AvroField => (field.type === 'double' ? { ...field, type: 'float' } : field)
    return { ...schema, fields: schema.fields.map(shorter).toReversed() }
  }
  return {
    ...schema,
    fields: [
      { name: 'site', type: 'string' },
      ...schema.fields,
      { name: 'humidity', type: ['null', 'double'], default: null },
    ],
  }
}

/**
 * A writer with a schema of its own, registered under a subject of its own: readers find it by its id.
 * @returns encodes an event in Confluent's wire format
 */
export const createForeignWriter = async (options: {
  readonly kind: ForeignKind
  readonly registryUrl: string
  readonly subject: string
  readonly task: string
  readonly features: readonly { readonly name: string; readonly type: 'double'; readonly nullable: boolean }[]
}): Promise<(event: Readonly<Record<string, unknown>>) => Uint8Array> => {
  const { kind, registryUrl, subject, task, features } = options
  const { featureEvent } = await eventSchemas()
  const schema = changed(kind, featureEventSchema(featureEvent, features, task))
  const reply = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  if (!reply.ok) throw new Error(`the registry refused the schema of ${subject}: ${await reply.text()}`)
  const { id } = (await reply.json()) as { id: number }
  const type = typeOf(schema)
  return (event) => {
    const header = Buffer.alloc(HEADER_BYTES)
    writeHeader(header, 0, id)
    return Buffer.concat([header, type.toBuffer({ site: 'north', humidity: 0.5, ...event })])
  }
}
