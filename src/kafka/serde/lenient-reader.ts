import { describeError } from '../../errors.ts'
import type { DecodeFailure } from '../serde-types.ts'
import { bufferOver, HEADER_BYTES, isJsonObject, schemaIdOf } from './wire-format.ts'
import type { WriterSchemas } from './writer-schemas.ts'

/** The fields of a value under the names that their writer gave them, before anybody checks them. */
export type LenientReading =
  | {
      readonly ok: true
      readonly members: Readonly<Record<string, unknown>>
      /** The schema that it was read with; null for JSON. */
      readonly schemaId: number | null
    }
  | DecodeFailure

const failure = (code: string, message: string, schemaId?: number): DecodeFailure =>
  schemaId === undefined ? { ok: false, code, message } : { ok: false, code, message, schemaId }

const readJson = (bytes: Buffer): LenientReading => {
  try {
    // The first byte is a brace, so it is an object or it does not parse.
    return { ok: true, members: JSON.parse(bytes.toString('utf8')) as Record<string, unknown>, schemaId: null }
  } catch (error) {
    return failure('BAD_JSON', `the value starts as JSON and is not: ${describeError(error)}`)
  }
}

/**
 * Reads a value as its writer meant it, for people and for repairs: a JSON object as it is, Avro with the schema that
 * it was written with. Only schemas that are safe to read with are used, and the value has to end where they say.
 * @param options.schemaId read Avro with this schema, whatever the value names; a value without a schema id is then
 * taken as the Avro body alone
 * @throws SchemaRegistryUnavailable
 */
export const readLeniently = async (
  value: Uint8Array | null,
  options: { readonly writers: WriterSchemas; readonly schemaId?: number | undefined },
): Promise<LenientReading> => {
  if (value === null || value.byteLength === 0) return failure('BAD_WIRE_FORMAT', 'the value is empty')
  const bytes = bufferOver(value)
  if (options.schemaId === undefined && isJsonObject(bytes)) return readJson(bytes)
  const named = schemaIdOf(bytes)
  const id = options.schemaId ?? named
  if (id === null) return failure('BAD_WIRE_FORMAT', 'the value is neither Avro with a schema id nor a JSON object')
  await options.writers.load([id])
  const writer = options.writers.get(id)
  if (writer === undefined || writer.kind === 'unknown') {
    return failure('UNKNOWN_SCHEMA', `the registry has no schema ${id}`, id)
  }
  if (writer.kind === 'refused') return failure('BAD_AVRO', `schema ${id} is refused: ${writer.reason}`, id)
  try {
    const read = writer.type.fromBuffer(named === null ? bytes : bytes.subarray(HEADER_BYTES)) as object
    return { ok: true, members: { ...read }, schemaId: id }
  } catch (error) {
    return failure('BAD_AVRO', `the value is not what schema ${id} describes: ${describeError(error)}`, id)
  }
}
