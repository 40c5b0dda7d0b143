import type { Schema, Type } from 'avsc'
import { describeError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { typeOf } from './avro-schemas.ts'
import { refusalOf } from './bounded-schema.ts'
import type { SchemaCache } from './schema-cache.ts'

/** What is known of a schema id. */
export type WriterSchema =
  | { readonly kind: 'known'; readonly type: Type }
  /** The registry does not know the id. */
  | { readonly kind: 'unknown' }
  /** There is such a schema, and values written with it must or can not be read. */
  | { readonly kind: 'refused'; readonly reason: string }

export type WriterSchemas = {
  /** Makes sure that `get` can answer for these ids. @throws SchemaRegistryUnavailable */
  readonly load: (ids: Iterable<number>) => Promise<void>
  /** Whether `load` has nothing to do for this id. */
  readonly has: (id: number) => boolean
  /** What is known of an id that was loaded; undefined for any other. */
  readonly get: (id: number) => WriterSchema | undefined
}

export type WriterSchemasDeps = {
  readonly cache: SchemaCache
  /** The schema of an id, or null where the registry does not know it. Rejects while it cannot be asked. */
  readonly fetchSchema: (id: number) => Promise<Schema | null | 'not-avro'>
  readonly logger: Logger
  readonly unknownIdTtlMs: number
}

/** A stream of garbage names a new id in each record: what it names is asked for a few at a time, and not kept for ever. */
const FETCHES_AT_ONCE = 8
const MAX_UNKNOWN_IDS = 10_000

/**
 * Registries count ids up from 1. Asking for each of ten thousand made-up ids a second would starve every good event
 * behind them; so of the large ones only a few are asked for while nobody has ever heard of them.
 */
const MADE_UP_FROM = 1_000_000
const MADE_UP_LOOKUPS = 50
const MADE_UP_WINDOW_MS = 10_000

export const createWriterSchemas = (deps: WriterSchemasDeps): WriterSchemas => {
  const { cache, fetchSchema, logger, unknownIdTtlMs } = deps
  const settled = new Map<number, WriterSchema>()
  const unknownUntil = new Map<number, number>()
  const loading = new Map<number, Promise<void>>()

  const understand = (id: number, schema: Schema): WriterSchema => {
    try {
      const refusal = refusalOf(schema)
      if (refusal !== null) return { kind: 'refused', reason: refusal }
      return { kind: 'known', type: typeOf(schema) }
    } catch (error) {
      logger.warn({ schemaId: id }, `a registered schema cannot be used: ${describeError(error)}`)
      return { kind: 'refused', reason: `its schema is no valid Avro: ${describeError(error)}` }
    }
  }

  const fromDisk = async (id: number): Promise<Schema | null> => {
    try {
      const text = await cache.schema(id)
      return text === null ? null : (JSON.parse(text) as Schema)
    } catch (error) {
      logger.warn({ schemaId: id }, `a schema kept on disk cannot be read: ${describeError(error)}`)
      return null
    }
  }

  const keepUnknown = (id: number): void => {
    for (const oldest of unknownUntil.keys()) {
      if (unknownUntil.size < MAX_UNKNOWN_IDS) break
      unknownUntil.delete(oldest)
    }
    unknownUntil.delete(id)
    unknownUntil.set(id, performance.now() + unknownIdTtlMs)
  }

  /** Large ids that the registry did not know, since when. */
  const inVain = { count: 0, since: Number.NEGATIVE_INFINITY }

  const countInVain = (id: number): void => {
    if (id < MADE_UP_FROM) return
    if (performance.now() - inVain.since > MADE_UP_WINDOW_MS)
      Object.assign(inVain, { count: 0, since: performance.now() })
    inVain.count += 1
    if (inVain.count !== MADE_UP_LOOKUPS) return
    logger.warn(
      { schemaId: id },
      `${MADE_UP_LOOKUPS} schema ids above ${MADE_UP_FROM} were looked up in vain: for ${MADE_UP_WINDOW_MS / 1000} s such ids are taken as unknown without asking`,
    )
  }

  /** Whether an id is to be taken as unknown without a question to anybody. */
  const isMadeUp = (id: number): boolean =>
    id >= MADE_UP_FROM && inVain.count >= MADE_UP_LOOKUPS && performance.now() - inVain.since <= MADE_UP_WINDOW_MS

  const loadOne = async (id: number): Promise<void> => {
    if (isMadeUp(id)) {
      keepUnknown(id)
      return
    }
    const kept = await fromDisk(id)
    const schema = kept ?? (await fetchSchema(id))
    if (schema === null) {
      keepUnknown(id)
      countInVain(id)
      return
    }
    if (schema === 'not-avro') {
      settled.set(id, { kind: 'refused', reason: 'its schema is not Avro, or no valid one' })
      return
    }
    if (kept === null) await cache.addSchema(id, JSON.stringify(schema))
    settled.set(id, understand(id, schema))
    unknownUntil.delete(id)
  }

  const loadOnce = (id: number): Promise<void> => {
    const running = loading.get(id)
    if (running !== undefined) return running
    const load = loadOne(id).finally(() => loading.delete(id))
    loading.set(id, load)
    return load
  }

  const has = (id: number): boolean => settled.has(id) || (unknownUntil.get(id) ?? 0) > performance.now()

  return {
    has,
    get: (id) => settled.get(id) ?? (unknownUntil.has(id) ? { kind: 'unknown' } : undefined),
    load: async (ids) => {
      const missing = [...ids].filter((id) => !has(id))
      for (let i = 0; i < missing.length; i += FETCHES_AT_ONCE) {
        await Promise.all(missing.slice(i, i + FETCHES_AT_ONCE).map(loadOnce))
      }
    },
  }
}
