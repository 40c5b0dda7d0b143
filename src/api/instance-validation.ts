import { Ajv, type ErrorObject } from 'ajv'
import type { Fault } from './error-reply.ts'
import type { InstanceSchema } from './instance-schema.ts'

/** An instance that passed: the features by name, and an id if the caller gave one. */
export type Instance = { readonly event_id?: string } & { readonly [feature: string]: number | string | null }

export type CheckedBody =
  | { readonly ok: true; readonly instances: readonly Instance[]; readonly batch: boolean }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** As many faults as one reply tells; more would only help someone who wants large replies. */
const maxFaults = 20
const maxNameLength = 64

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number' && !Number.isFinite(value)) return 'too large for a double'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A field's name as the caller wrote it, fit for a reply. */
const showName = (name: string): string => {
  if (name === '') return '""'
  return name.length > maxNameLength ? `${name.slice(0, maxNameLength)}…` : name
}

const article = (type: string): string => (/^[aio]/.test(type) ? `an ${type}` : `a ${type}`)

const joinPath = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)

/** @param at path of the instance in the body: empty for a single one, `[3]` in an array */
const faultOf = (error: ErrorObject, allowed: readonly string[], at: string): Fault => {
  const name = error.instancePath.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')
  const field = name === '' ? at || 'body' : joinPath(at, name)
  const isFeature = name !== '' && name !== 'event_id'
  const value = error.data
  switch (error.keyword) {
    case 'required': {
      const missing = String(error.params['missingProperty'])
      return { code: 'FEATURE_MISSING', field: joinPath(at, missing), message: 'is missing' }
    }
    case 'additionalProperties': {
      const unknown = showName(String(error.params['additionalProperty']))
      const message = `is not a field of this task; it has ${allowed.join(', ')}`
      return { code: 'UNKNOWN_FIELD', field: joinPath(at, unknown), message }
    }
    case 'type': {
      if (!isFeature) {
        const wanted = article(String(error.params['type']))
        const code = name === 'event_id' ? 'BAD_EVENT_ID' : 'NOT_AN_OBJECT'
        return { code, field, message: `must be ${wanted}, is ${kindOf(value)}` }
      }
      const text = [error.params['type']].flat().includes('string')
      if (typeof value === 'number' && !text) {
        return { code: 'FEATURE_NOT_FINITE', field, message: `must be a finite number, is ${kindOf(value)}` }
      }
      const code = value === null ? 'FEATURE_MISSING' : text ? 'FEATURE_NOT_TEXT' : 'FEATURE_NOT_A_NUMBER'
      return { code, field, message: `must be ${text ? 'text' : 'a number'}, is ${kindOf(value)}` }
    }
    case 'minimum':
      return { code: 'FEATURE_OUT_OF_RANGE', field, message: `must be at least ${error.params['limit']}, is ${value}` }
    case 'maximum':
      return { code: 'FEATURE_OUT_OF_RANGE', field, message: `must be at most ${error.params['limit']}, is ${value}` }
    case 'maxLength':
      return { code: 'CATEGORY_TOO_LONG', field, message: `may have ${error.params['limit']} characters, has more` }
    case 'pattern':
      return {
        code: 'BAD_EVENT_ID',
        field,
        message:
          'must be 1 to 128 letters, digits, dots, colons, hyphens or underscores, and begin with a letter or digit',
      }
    default:
      return { code: 'INVALID', field, message: error.message ?? 'is not valid' }
  }
}

/**
 * Checks a body of `POST /predict`: one instance, or an array of them. Types are taken as they are; nothing is
 * coerced, dropped or filled in.
 */
export const createBodyCheck = (schema: InstanceSchema, options: { maxInstances: number }) => {
  const { maxInstances } = options
  // `verbose` gives the faulty value to the message.
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    coerceTypes: false,
    removeAdditional: false,
    allowUnionTypes: true,
  })
  const validate = ajv.compile<Instance>(schema)
  const allowed = Object.keys(schema.properties)

  const faultsOf = (value: unknown, at: string, room: number): Fault[] =>
    validate(value) ? [] : (validate.errors ?? []).slice(0, room).map((error) => faultOf(error, allowed, at))

  return (body: unknown): CheckedBody => {
    if (!Array.isArray(body)) {
      const faults = faultsOf(body, '', maxFaults)
      return faults.length === 0 ? { ok: true, instances: [body as Instance], batch: false } : { ok: false, faults }
    }
    if (body.length === 0 || body.length > maxInstances) {
      const message = `must hold 1 to ${maxInstances} instances, holds ${body.length}`
      return { ok: false, faults: [{ code: 'BAD_BATCH_SIZE', field: 'body', message }] }
    }
    const faults: Fault[] = []
    const seen = new Map<string, number>()
    for (const [index, value] of body.entries()) {
      faults.push(...faultsOf(value, `[${index}]`, maxFaults - faults.length))
      if (faults.length >= maxFaults) break
      const id: unknown = value?.event_id
      if (typeof id !== 'string') continue
      const first = seen.get(id)
      if (first !== undefined) {
        const message = `is the same as that of [${first}]`
        faults.push({ code: 'BAD_EVENT_ID', field: `[${index}].event_id`, message })
      }
      seen.set(id, index)
    }
    return faults.length === 0 ? { ok: true, instances: body as Instance[], batch: true } : { ok: false, faults }
  }
}
