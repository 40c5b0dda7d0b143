import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import avsc from 'avsc'
import { ConfigInvalid, describeError } from '../../errors.ts'

export type AvroField = { name: string; type: avsc.Schema; default?: unknown; doc?: string }

/** An Avro record schema, as JSON. */
export type AvroRecord = { type: 'record'; name: string; namespace?: string; doc?: string; fields: AvroField[] }

/** What of a feature its schema depends on. */
export type EventFeature = {
  readonly name: string
  readonly type: 'double' | 'category'
  readonly nullable: boolean
  readonly unit?: string | undefined
}

/**
 * A type that reads longs as numbers (one beyond 2^53 is refused when it is read) and unions as plain values,
 * whatever the defaults of the library are.
 */
export const typeOf = (schema: avsc.Schema): avsc.Type => avsc.Type.forSchema(schema, { wrapUnions: 'never' })

/**
 * The schema of a task's feature events: the common fields and one field per feature. A feature that may be missing
 * is null by default, so that it can be added or removed compatibly.
 */
export const featureEventSchema = (base: AvroRecord, features: readonly EventFeature[], task: string): AvroRecord => ({
  ...base,
  namespace: `${base.namespace ?? 'driftline'}.${task}`,
  fields: [
    ...base.fields,
    ...features.map(({ name, type, nullable, unit }): AvroField => {
      const doc = unit === undefined ? {} : { doc: `In ${unit}.` }
      // A category is text and no enum: a name that the task does not know yet is to be scored as well.
      const avroType = type === 'category' ? 'string' : 'double'
      return nullable ? { name, type: ['null', avroType], default: null, ...doc } : { name, type: avroType, ...doc }
    }),
  ],
})

/**
 * What other writers' feature events are read as: every feature may be missing there. A feature that their schema
 * does not have then reads as null, and the check of the event names it, instead of the whole schema being refused.
 */
export const lenientEventSchema = (base: AvroRecord, features: readonly EventFeature[], task: string): AvroRecord =>
  featureEventSchema(
    base,
    features.map((feature) => ({ ...feature, nullable: true })),
    task,
  )

export type EventSchemas = {
  readonly featureEvent: AvroRecord
  readonly prediction: AvroRecord
  readonly label: AvroRecord
  readonly driftEvent: AvroRecord
  readonly modelEvent: AvroRecord
}

/**
 * Reads the schemas of all events.
 * @param folder where `feature-event.avsc` and the others lie
 * @throws ConfigInvalid
 */
export const readEventSchemas = async (folder: string): Promise<EventSchemas> => {
  const read = async (file: string): Promise<AvroRecord> => {
    const path = join(folder, file)
    try {
      return JSON.parse(await readFile(path, 'utf8')) as AvroRecord
    } catch (error) {
      throw new ConfigInvalid(`the schema ${path} cannot be read: ${describeError(error)}`, { cause: error })
    }
  }
  const [featureEvent, prediction, label, driftEvent, modelEvent] = await Promise.all([
    read('feature-event.avsc'),
    read('prediction.avsc'),
    read('label.avsc'),
    read('drift-event.avsc'),
    read('model-event.avsc'),
  ])
  return { featureEvent, prediction, label, driftEvent, modelEvent }
}
