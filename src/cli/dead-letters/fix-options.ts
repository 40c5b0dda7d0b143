import { resolve } from 'node:path'
import { ConfigInvalid } from '../../errors.ts'
import { readDecimal } from '../../features/decimal.ts'
import type { FeatureSpec } from '../../features/feature-spec.ts'

/** One repair of an event, as `--fix` names it. */
export type Fix =
  | { readonly kind: 'set'; readonly field: string; readonly value: string | number | null }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'drop'; readonly field: string }
  | { readonly kind: 'schema'; readonly id: number }
  | { readonly kind: 'module'; readonly path: string }

const forms = 'set:<field>=<value>, rename:<old>=<new>, drop:<field>, schema:<id>, module:<path>'

const invalid = (text: string, why: string): ConfigInvalid => new ConfigInvalid(`--fix ${text}: ${why}`)

/** `name=rest`, both not empty but for the rest. */
const pairOf = (text: string, body: string): [string, string] => {
  const at = body.indexOf('=')
  if (at < 1) throw invalid(text, `a name and "=" are missing; the forms are ${forms}`)
  return [body.slice(0, at), body.slice(at + 1)]
}

const isQuoted = (value: string): boolean => value.length >= 2 && value.startsWith('"') && value.endsWith('"')

const readValue = (text: string, value: string, spec: FeatureSpec | undefined): string | number | null => {
  if (value === 'null') return null
  if (spec?.type === 'double') {
    const number = readDecimal(value)
    if (Number.isNaN(number)) throw invalid(text, `${spec.name} is a number; give a finite one or null`)
    return number
  }
  if (!isQuoted(value)) return value
  try {
    return String(JSON.parse(value))
  } catch {
    throw invalid(text, `${value} is no text in quotes`)
  }
}

/**
 * Reads what `--fix` was given.
 * @param fields names that events and labels of the task have
 * @throws ConfigInvalid
 */
export const parseFix = (
  text: string,
  { fields, features }: { readonly fields: ReadonlySet<string>; readonly features: readonly FeatureSpec[] },
): Fix => {
  const at = text.indexOf(':')
  const kind = text.slice(0, Math.max(0, at))
  const body = text.slice(at + 1)
  const known = (name: string): string => {
    if (fields.has(name)) return name
    throw invalid(text, `${JSON.stringify(name)} is no field of the task's events; known: ${[...fields].join(', ')}`)
  }
  switch (kind) {
    case 'set': {
      const [field, value] = pairOf(text, body)
      const spec = features.find(({ name }) => name === known(field))
      // A time is taken as JSON has it: a number of milliseconds, or ISO-8601 text.
      const isMs = /^(event_time|labelled_at)$/.test(field) && !Number.isNaN(readDecimal(value))
      return { kind, field, value: isMs ? readDecimal(value) : readValue(text, value, spec) }
    }
    case 'rename': {
      const [from, to] = pairOf(text, body)
      return { kind, from, to: known(to) }
    }
    case 'drop':
      if (body === '') throw invalid(text, 'name the field')
      return { kind, field: body }
    case 'schema': {
      const id = Number(body)
      if (!/^\d+$/.test(body) || id > 0xffff_ffff) throw invalid(text, 'name the id of a schema, a whole number')
      return { kind, id }
    }
    case 'module':
      if (body === '') throw invalid(text, 'name the file of the module')
      return { kind, path: resolve(body) }
    default:
      throw invalid(text, `the forms are ${forms}`)
  }
}
