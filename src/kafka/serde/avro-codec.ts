import type { Resolver, Schema, Type } from 'avsc'
import { describeError } from '../../errors.ts'
import type { Codec, DecodeFailure, DecodeResult } from '../serde-types.ts'
import { type AvroRecord, typeOf } from './avro-schemas.ts'
import type { JsonReader } from './json-events.ts'
import { bufferOver, HEADER_BYTES, isJsonObject, schemaIdOf, writeHeader } from './wire-format.ts'
import { withoutStack } from './without-stack.ts'
import type { WriterSchemas } from './writer-schemas.ts'

export type AvroCodecOptions<T> = {
  /** What the values are, for messages: the topic. */
  readonly name: string
  /** The id under which `schema` is registered. */
  readonly schemaId: number
  readonly schema: AvroRecord
  /** What values written with other schemas are read as, if not `schema`. */
  readonly readerSchema?: AvroRecord
  readonly writers: WriterSchemas
  /** A larger value is refused unread. */
  readonly maxBytes: number
  /** Where JSON values are accepted too. */
  readonly readJson?: JsonReader<T>
  /** A last look at what was decoded. */
  readonly check?: (value: T) => DecodeFailure | null
}

/** How to read what one other schema wrote, or why it cannot be read. */
type Reading = { readonly resolver: Resolver } | { readonly reason: string }

const FIRST_SLAB_BYTES = 64 * 1024

const failure = (code: string, message: string, schemaId?: number): DecodeFailure =>
  schemaId === undefined ? { ok: false, code, message } : { ok: false, code, message, schemaId }

/**
 * Values of one kind of event. Types and resolvers are made once per schema id; decoding one value is then a walk
 * over its bytes. A value has to be used up to its last byte.
 */
export const createAvroCodec = <T>(options: AvroCodecOptions<T>): Codec<T> => {
  const { name, schemaId, writers, maxBytes, readJson, check } = options
  const ownType = typeOf(options.schema as Schema)
  const readerType = options.readerSchema === undefined ? ownType : typeOf(options.readerSchema as Schema)
  const readings = new Map<number, Reading>()

  const readingFor = (id: number, writer: Type): Reading => {
    let reading = readings.get(id)
    if (reading === undefined) {
      try {
        // The namespace carries the task; a producer that names its record alike and fits is welcome.
        reading = { resolver: readerType.createResolver(writer, { ignoreNamespaces: true }) }
      } catch (error) {
        reading = { reason: `schema ${id} does not fit what ${name} carries: ${describeError(error)}` }
      }
      readings.set(id, reading)
    }
    return reading
  }

  const checked = (value: T): DecodeResult<T> => check?.(value) ?? { ok: true, value }

  const decodeJson = (bytes: Buffer, read: JsonReader<T>, source: Parameters<JsonReader<T>>[1]): DecodeResult<T> => {
    let members: Readonly<Record<string, unknown>>
    try {
      // The first byte is a brace, so it is an object or it does not parse.
      members = withoutStack(() => JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>)
    } catch (error) {
      return failure('BAD_JSON', `the value starts as JSON and is not: ${describeError(error)}`)
    }
    const result = read(members, source)
    return result.ok ? checked(result.value) : result
  }

  const decodeAvro = (body: Buffer, id: number): DecodeResult<T> => {
    let resolver: Resolver | undefined
    if (id !== schemaId) {
      const writer = writers.get(id)
      // Not there although it was prepared: so many unknown ids came at once that this one was forgotten again.
      if (writer === undefined || writer.kind === 'unknown')
        return failure('UNKNOWN_SCHEMA', `the registry has no schema ${id}`, id)
      if (writer.kind === 'refused') return failure('BAD_AVRO', `schema ${id} is refused: ${writer.reason}`, id)
      const reading = readingFor(id, writer.type)
      if ('reason' in reading) return failure('BAD_AVRO', reading.reason, id)
      resolver = reading.resolver
    }
    let value: T
    try {
      value = withoutStack(
        () => (resolver === undefined ? ownType.fromBuffer(body) : readerType.fromBuffer(body, resolver)) as T,
      )
    } catch (error) {
      return failure('BAD_AVRO', `the value is not what schema ${id} describes: ${describeError(error)}`, id)
    }
    return checked(value)
  }

  let slab = Buffer.allocUnsafe(FIRST_SLAB_BYTES)
  let used = 0

  return {
    schemaId,

    prepare: async (values) => {
      let missing: Set<number> | undefined
      for (const value of values) {
        if (value === null || value.byteLength > maxBytes) continue
        const id = schemaIdOf(value)
        if (id === null || id === schemaId || writers.has(id)) continue
        missing ??= new Set()
        missing.add(id)
      }
      if (missing !== undefined) await writers.load(missing)
    },

    decode: (value, source) => {
      if (value === null || value.byteLength === 0) return failure('BAD_WIRE_FORMAT', 'the value is empty')
      if (value.byteLength > maxBytes) {
        return failure('RECORD_TOO_LARGE', `the value has ${value.byteLength} bytes, and at most ${maxBytes} are read`)
      }
      const bytes = bufferOver(value)
      if (readJson !== undefined && isJsonObject(bytes)) return decodeJson(bytes, readJson, source)
      const id = schemaIdOf(bytes)
      if (id === null) {
        const accepted = readJson === undefined ? 'Avro with a schema id' : 'Avro with a schema id or a JSON object'
        return failure('BAD_WIRE_FORMAT', `the value is not ${accepted}`)
      }
      return decodeAvro(bytes.subarray(HEADER_BYTES), id)
    },

    encode: (message) => {
      for (;;) {
        const end = ownType.encode(message, slab, used + HEADER_BYTES)
        if (end >= 0) {
          writeHeader(slab, used, schemaId)
          const value = slab.subarray(used, end)
          used = end
          return value
        }
        // Too little was left: -end bytes are missing. What was handed out keeps the old slab alive.
        slab = Buffer.allocUnsafe(Math.max(FIRST_SLAB_BYTES, slab.byteLength - used - end + HEADER_BYTES))
        used = 0
      }
    },
  }
}
