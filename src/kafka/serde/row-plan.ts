import type { Type, types } from 'avsc'
import type { EventFeature } from './avro-schemas.ts'

/** What of a feature decides how its values are read into columns. */
export type RowFeature = EventFeature & {
  /** Least and greatest value that can be true. */
  readonly range?: readonly [number, number]
}

/** What is done with one field of the writer. The kinds from `eventId` on start with a variable-length number. */
export const fieldKind = {
  double: 0,
  float: 1,
  skipByte: 2,
  skipFour: 3,
  skipEight: 4,
  skipNothing: 5,
  eventId: 6,
  eventTime: 7,
  integer: 8,
  text: 9,
  skipNumber: 10,
  skipText: 11,
} as const

/** How to read what one schema wrote, field by field in the writer's order. */
export type RowPlan = {
  readonly fields: number
  /** By field: a `fieldKind`. */
  readonly kinds: Uint8Array
  /** By field: its feature, -1 where it is none. */
  readonly features: Int32Array
  /** By field: what a byte before the value says where it is null; -1 where it cannot be. */
  readonly nullBytes: Int8Array
  /** Nullable features that the writer does not have. */
  readonly missing: readonly number[]
}

type Field = { readonly kind: number; readonly feature: number; readonly nullByte: number }

const SKIPS: Readonly<Record<string, number>> = {
  null: fieldKind.skipNothing,
  boolean: fieldKind.skipByte,
  int: fieldKind.skipNumber,
  long: fieldKind.skipNumber,
  float: fieldKind.skipFour,
  double: fieldKind.skipEight,
  bytes: fieldKind.skipText,
  string: fieldKind.skipText,
}

const NUMBERS: Readonly<Record<string, number>> = {
  int: fieldKind.integer,
  long: fieldKind.integer,
  float: fieldKind.float,
  double: fieldKind.double,
  null: fieldKind.skipNothing,
}

const CATEGORIES: Readonly<Record<string, number>> = { string: fieldKind.text, null: fieldKind.skipNothing }
const EVENT_IDS: Readonly<Record<string, number>> = { string: fieldKind.eventId }
const EVENT_TIMES: Readonly<Record<string, number>> = { int: fieldKind.eventTime, long: fieldKind.eventTime }

/** The names of the types that a field may hold: one, or null and another one. Undefined for anything else. */
const branchesOf = (type: Type): readonly string[] | undefined => {
  if (!type.typeName.startsWith('union')) return [type.typeName]
  const names = (type as types.UnwrappedUnionType).types.map(({ typeName }) => typeName)
  return names.length === 2 && names.includes('null') ? names : undefined
}

/** Zig-zag code of a branch's place: 0, 1 -> 0, 2. */
const branchByte = (place: number): number => place * 2

const fieldOf = (type: Type, kinds: Readonly<Record<string, number>>, feature: number): Field | undefined => {
  const branches = branchesOf(type)
  if (branches === undefined) return undefined
  const value = branches.length === 1 ? branches[0] : branches.find((name) => name !== 'null')
  const kind = value === undefined ? undefined : kinds[value]
  if (kind === undefined || kind === fieldKind.skipNothing) {
    // A field that is always null: nothing is there to read.
    return branches.length === 1 && kind !== undefined ? { kind, feature, nullByte: -1 } : undefined
  }
  return { kind, feature, nullByte: branches.length === 1 ? -1 : branchByte(branches.indexOf('null')) }
}

/**
 * The plan for what `writer` wrote, or null where its values have to be read by the Avro library: a field that is not
 * a plain value or null, or one that is missing and must not be.
 * @param writer a record that can be resolved to the task's events
 */
export const rowPlanOf = (writer: Type, features: readonly RowFeature[]): RowPlan | null => {
  if (writer.typeName !== 'record') return null
  const fields: Field[] = []
  const found = new Set<string>()
  for (const { name, type } of (writer as types.RecordType).fields) {
    const feature = features.findIndex((candidate) => candidate.name === name)
    const isCommon = name === 'event_id' || name === 'event_time'
    // Without an id or a time there is no event: the library says what is wrong.
    if (isCommon && type.typeName.startsWith('union')) return null
    const field =
      name === 'event_id'
        ? fieldOf(type, EVENT_IDS, -1)
        : name === 'event_time'
          ? fieldOf(type, EVENT_TIMES, -1)
          : feature < 0
            ? fieldOf(type, SKIPS, -1)
            : fieldOf(type, features[feature]!.type === 'category' ? CATEGORIES : NUMBERS, feature)
    if (field === undefined) return null
    fields.push(field)
    if (field.kind !== fieldKind.skipNothing) found.add(name)
  }
  if (!found.has('event_id') || !found.has('event_time')) return null
  const missing = features.flatMap((feature, place) => (found.has(feature.name) ? [] : [place]))
  if (missing.some((place) => !features[place]!.nullable)) return null
  return {
    fields: fields.length,
    kinds: Uint8Array.from(fields, ({ kind }) => kind),
    features: Int32Array.from(fields, ({ feature }) => feature),
    nullBytes: Int8Array.from(fields, ({ nullByte }) => nullByte),
    missing,
  }
}
