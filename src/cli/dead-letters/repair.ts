import { pathToFileURL } from 'node:url'
import { type DeadLetter, type LetterRecord, letterIdOf } from '../../../streams/dead-letter-replay.ts'
import { ConfigInvalid, describeError } from '../../errors.ts'
import { readLeniently } from '../../kafka/serde/lenient-reader.ts'
import type { WriterSchemas } from '../../kafka/serde/writer-schemas.ts'
import type { RecordSource } from '../../topology.ts'
import type { Destination, Fault } from './destinations.ts'
import type { Fix } from './fix-options.ts'

type Members = Readonly<Record<string, unknown>>

/** What a module of the user's is told of a letter. */
export type LetterForModule = {
  readonly id: string
  readonly code: string
  readonly message: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly failed_at: number
  readonly attempts: number
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** The bytes, for what cannot be read. */
  readonly value: Buffer | null
}

/** The default export of a module. `event` is null where the bytes cannot be read; null as the answer leaves it out. */
export type RepairModule = (event: Members | null, letter: LetterForModule) => unknown

export type Repaired =
  | { readonly kind: 'repaired'; readonly value: Uint8Array }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'failed'; readonly fault: Fault }

/** Repairs one letter. @throws SchemaRegistryUnavailable */
export type Repair = (
  letter: DeadLetter,
  record: LetterRecord,
  at: { readonly destination: Destination; readonly source: RecordSource },
) => Promise<Repaired>

const utf8 = new TextDecoder()

const forModule = (letter: DeadLetter, record: LetterRecord): LetterForModule => ({
  id: letterIdOf(letter),
  code: letter.code,
  message: letter.message,
  topic: letter.source?.topic ?? '',
  partition: letter.source?.partition ?? -1,
  offset: Number(letter.source?.offset ?? -1),
  failed_at: letter.failedAt,
  attempts: letter.attempts,
  key: record.key === null ? null : utf8.decode(record.key),
  headers: Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, utf8.decode(value)])),
  value: record.value === null ? null : Buffer.from(record.value),
})

const loadModule = async (path: string): Promise<RepairModule> => {
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    throw new ConfigInvalid(`--fix module:${path} cannot be loaded`, { cause: error })
  }
  if (typeof loaded.default !== 'function') {
    throw new ConfigInvalid(`--fix module:${path} has no default export that is a function (event, letter) => event`)
  }
  return loaded.default as RepairModule
}

const failed = (code: string, message: string): Repaired => ({ kind: 'failed', fault: { code, message } })

const without = (members: Members, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([key]) => key !== name))

/** Applies a repair that needs no more than the fields. */
const changed = (members: Members, fix: Extract<Fix, { kind: 'set' | 'rename' | 'drop' }>): Members => {
  if (fix.kind === 'set') return { ...members, [fix.field]: fix.value }
  if (fix.kind === 'drop') return without(members, fix.field)
  if (!Object.hasOwn(members, fix.from)) return members
  return { ...without(members, fix.from), [fix.to]: members[fix.from] }
}

/**
 * A function that repairs letters: reads the value leniently, applies the repairs in their order, and writes what came
 * out as Avro of the task's schema.
 * @throws ConfigInvalid where a module cannot be loaded
 */
export const createRepair = async (fixes: readonly Fix[], writers: WriterSchemas): Promise<Repair> => {
  const modules = new Map<string, RepairModule>()
  for (const fix of fixes) if (fix.kind === 'module') modules.set(fix.path, await loadModule(fix.path))
  const schemaId = fixes.findLast((fix) => fix.kind === 'schema')?.id

  return async (letter, record, { destination, source }) => {
    if (destination.fields === null) return failed('NOT_REPAIRABLE', `values of ${destination.topic} are not repaired`)
    const read = await readLeniently(record.value, { writers, schemaId })
    let members: Members | null = read.ok ? read.members : null
    for (const fix of fixes) {
      if (fix.kind === 'schema') continue
      if (fix.kind === 'module') {
        let answer: unknown
        try {
          answer = await modules.get(fix.path)?.(members, forModule(letter, record))
        } catch (error) {
          return failed('FIX_FAILED', `the module threw: ${describeError(error)}`)
        }
        if (answer === null) return { kind: 'dropped' }
        if (typeof answer !== 'object' || Array.isArray(answer)) {
          return failed('FIX_FAILED', `the module returned ${typeof answer}; it has to return an event or null`)
        }
        members = answer as Members
      } else if (members !== null) members = changed(members, fix)
    }
    if (members === null) return read.ok ? failed('FIX_FAILED', 'there is no event') : { kind: 'failed', fault: read }
    const written = destination.write(members, source)
    return written.ok ? { kind: 'repaired', value: written.value } : { kind: 'failed', fault: written }
  }
}
