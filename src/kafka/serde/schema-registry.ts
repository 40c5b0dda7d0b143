import { setTimeout as pause } from 'node:timers/promises'
import { COMPATIBILITY, SchemaRegistry as ConfluentClient, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Schema } from 'avsc'
import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { SchemaRefused, SchemaRegistryUnavailable } from '../kafka-errors.ts'
import { withDeadline } from '../with-timeout.ts'
import { type AvroRecord, typeOf } from './avro-schemas.ts'
import { createSchemaCache } from './schema-cache.ts'
import { createWriterSchemas, type WriterSchemas } from './writer-schemas.ts'

export type SchemaRegistryOptions = {
  /** Base of the Confluent API, path included, without a slash at its end. */
  readonly url: string
  /** Where schemas are kept across restarts. */
  readonly cacheDir: string
  readonly logger: Logger
  /** How long an id that the registry does not know is not asked for again. */
  readonly unknownIdTtlMs?: number
  readonly requestTimeoutMs?: number
}

export type SchemaRegistry = {
  /**
   * Registers a schema for a subject, with BACKWARD compatibility, and returns its id. While the registry is down,
   * the id that the same schema got before. @throws SchemaRefused, SchemaRegistryUnavailable
   */
  readonly register: (subject: string, schema: AvroRecord) => Promise<number>
  /** The schemas that others wrote with, by id. */
  readonly writers: WriterSchemas
  /** @throws SchemaRegistryUnavailable when it does not answer */
  readonly ping: () => Promise<void>
}

/** 404: not known; 409, 422: refused. The client reports a connection that failed as 400. */
const statusOf = (error: unknown): number | undefined => {
  const status = (error as { status?: unknown } | null)?.status
  return typeof status === 'number' ? status : undefined
}

/** The schema does not fit the older ones, is not valid, or the subject is set to another compatibility. */
const isRefusal = (error: unknown): boolean => {
  const status = statusOf(error)
  return status === 409 || status === 422 || (error instanceof Error && error.name.includes('Compatibility'))
}

/**
 * Somebody else sets the compatibility of the same new subject at this moment, as roles that start together do. The
 * registry then says 409 to the setting, not to the schema; or, where the other has written its schema and not yet the
 * setting, the client finds none.
 */
const isSetElsewhere = (error: unknown): boolean =>
  (statusOf(error) === 409 && String((error as { url?: unknown }).url).includes('/config/')) ||
  (error instanceof Error && error.name.includes('Compatibility') && error.message.includes('!= NONE'))

/** With the pauses below about two seconds: a busy machine takes that long between two requests. */
const CONCURRENT_ATTEMPTS = 9

/** Registers, and again where another did the same at the same time. */
const whileSetElsewhere = async <T>(register: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await register()
    } catch (error) {
      if (!isSetElsewhere(error) || attempt === CONCURRENT_ATTEMPTS) throw error
      await pause(50 * attempt)
    }
  }
}

const canonical = (schema: Schema): string => typeOf(schema).fingerprint().toString('hex')

export const createSchemaRegistry = (options: SchemaRegistryOptions): SchemaRegistry => {
  const { url, cacheDir, logger, unknownIdTtlMs = 30_000, requestTimeoutMs = 5000 } = options
  const cache = createSchemaCache(cacheDir, url)
  const client = new ConfluentClient({
    host: url,
    clientId: 'driftline',
    retry: { retries: 2, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1 },
  })

  /** The client waits for a registry that accepts and does not answer for as long as it takes. */
  const inTime = <T>(request: Promise<T>): Promise<T> =>
    withDeadline(request, requestTimeoutMs, () => new Error(`no reply within ${requestTimeoutMs} ms`))

  const fetchSchema = async (id: number): Promise<Schema | null | 'not-avro'> => {
    try {
      const found = await inTime(client.getSchema(id))
      const type = found as { schema?: (options: { exportAttrs: boolean }) => Schema }
      return typeof type.schema === 'function' ? type.schema({ exportAttrs: true }) : 'not-avro'
    } catch (error) {
      if (statusOf(error) === 404) return null
      // The registry answered, and the client could make no type of its answer.
      if (error instanceof Error && error.constructor.name.endsWith('ArgumentError')) return 'not-avro'
      throw new SchemaRegistryUnavailable(`schema ${id} cannot be fetched from ${url}: ${describeError(error)}`, {
        cause: error,
      })
    }
  }

  /** A registry that was emptied gives ids anew, and what is cached under them would decode to nonsense. */
  const forgetIfAnother = async (subject: string, schema: AvroRecord, id: number): Promise<void> => {
    const registeredAs = await cache.registration(subject, JSON.stringify(schema))
    const cached = await cache.schema(id)
    const same = cached === null || canonical(JSON.parse(cached) as Schema) === canonical(schema as Schema)
    if (same && (registeredAs === null || registeredAs === id)) return
    logger.warn({ url, subject, id }, 'the schema registry gives ids anew: the schemas kept on disk are dropped')
    await cache.clear()
  }

  return {
    ping: async () => {
      try {
        // The client has no question that every registry can answer cheaply; this one is part of the Confluent API.
        const reply = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(requestTimeoutMs) })
        await reply.body?.cancel()
        if (!reply.ok) throw new Error(`it answered with status ${reply.status}`)
      } catch (error) {
        throw new SchemaRegistryUnavailable(`the schema registry at ${url} does not answer: ${describeError(error)}`, {
          cause: error,
        })
      }
    },

    writers: createWriterSchemas({ cache, fetchSchema, logger, unknownIdTtlMs }),

    register: async (subject, schema) => {
      const text = JSON.stringify(schema)
      let id: number
      try {
        const options = { subject, compatibility: COMPATIBILITY.BACKWARD }
        const register = () => inTime(client.register({ type: SchemaType.AVRO, schema: text }, options))
        id = (await whileSetElsewhere(register)).id
      } catch (error) {
        if (isRefusal(error)) {
          throw new SchemaRefused(
            `the registry at ${url} refuses the schema of ${subject}: ${describeError(error)}. A feature can be added or removed only as a nullable one; otherwise use another task name`,
            { cause: error },
          )
        }
        const known = await cache.registration(subject, text)
        if (known === null) {
          throw new SchemaRegistryUnavailable(
            `the schema of ${subject} cannot be registered at ${url}: ${describeError(error)}`,
            { cause: error },
          )
        }
        logger.warn({ subject, id: known }, `the schema registry fails, its last id is used: ${describeError(error)}`)
        return known
      }
      await forgetIfAnother(subject, schema, id)
      await cache.addSchema(id, text)
      await cache.addRegistration(subject, text, id)
      return id
    },
  }
}
